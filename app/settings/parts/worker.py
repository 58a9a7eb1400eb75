"""The worker: how much it works on, and how long it tries."""

from __future__ import annotations

from pydantic import BaseModel, Field

from app.settings.parts.values import Port, Seconds


class WorkerSettings(BaseModel):
    """Who delivers."""

    worker_max_jobs: int = Field(
        8,
        ge=1,
        le=256,
        description="jobs, of up to 2,000 events each, that one worker works on at a time",
    )
    worker_lease_seconds: float = Field(
        10, ge=1, le=15, description="seconds after which a dead worker's batch is taken over"
    )
    worker_grace_seconds: Seconds = Field(
        20, description="seconds a stopping worker may use to finish its batches"
    )
    worker_metrics_host: str = Field(
        "127.0.0.1", description="the address the worker's /metrics and /healthz listen on"
    )
    worker_metrics_port: Port = Field(
        8081, description="the port of the worker's /metrics and /healthz; 0: none"
    )
    retry_base_seconds: Seconds = Field(
        2, description="seconds the first retry may wait; doubles with each"
    )
    retry_cap_seconds: Seconds = Field(3600, description="seconds a retry waits at most")
    retry_max_age_days: float = Field(
        7, gt=0, description="days after receipt when retries end in a dead letter `expired`"
    )
