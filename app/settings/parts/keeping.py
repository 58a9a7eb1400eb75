"""What is remembered, for how long, and how much room it may take."""

from __future__ import annotations

from pydantic import BaseModel, Field


class KeepingSettings(BaseModel):
    """Claims, traces, samples, the archive and the bodies of dead letters."""

    claim_window_days: float = Field(
        10, ge=8, le=60, description="days an event id is remembered; Customer.io retries for 7"
    )
    trace_days: float = Field(3, ge=0, le=60, description="days `sluice trace` can look back")

    sample_events: int = Field(
        1_000,
        ge=0,
        le=10_000,
        description="recent bodies, with personal data in them, kept per connection as a sample "
        "for `sluice mappings coverage` and `diff`; 0: none",
    )
    sample_hours: float = Field(
        24, gt=0, le=720, description="hours after which a body is no longer part of the sample"
    )

    archive_days: float = Field(
        0,
        ge=0,
        le=60,
        description="days that delivered bodies, with personal data in them, are kept on this "
        "machine's disk, so that one that Platform refuses later can be replayed; 0: none",
    )
    archive_max_bytes: int = Field(
        10_000_000_000, ge=1_000_000, description="bytes the archive takes; the oldest goes first"
    )
    dead_letters_max_bytes: int = Field(
        200_000_000,
        ge=0,
        description="bytes of Redis that the bodies of dead letters may take; beyond them the "
        "oldest are spilled to files in the data folder; 0: no bound",
    )
