"""What `sluice up` starts beside our own processes on one machine."""

from __future__ import annotations

from pydantic import BaseModel, Field

from app.settings.parts.values import Port


class LocalSettings(BaseModel):
    """The Redis and the sandbox of `sluice up`."""

    redis_port: Port = Field(6390, description="the port of the Redis that `sluice up` starts")
    sandbox_url: str | None = Field(
        None,
        pattern=r"^https?://[^/]+.*$",
        description="where commands reach the sandbox, when it is not on this machine's "
        "SLUICE_SANDBOX_PORT",
    )
    sandbox_host: str = Field("127.0.0.1", description="the address the sandbox listens on")
    sandbox_port: Port = Field(8090, description="the port the sandbox listens on")
