"""What the receiver must be told, in its own words: it reads neither environment nor files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.web.sources import SourceFilter

# The worst path is answered in this time even while the body dribbles in: Customer.io waits 4 s
# (customerio.md section 9), and the answer has a way to go.
CUSTOMERIO_TIMEOUT_SECONDS: Final = 4.0


@dataclass(frozen=True, slots=True)
class ReceiverConfig:
    """Limits of one receiver process. Times in seconds but for `linger_ms`; sizes in bytes."""

    linger_ms: float = 5
    batch_max_events: int = 500
    batch_max_bytes: int = 1_000_000
    max_commits_in_flight: int = 4
    # Workers are woken at once, and at most so often.
    ring_interval_ms: float = 20
    # Bodies held in memory, for all connections: past it webhooks are refused.
    pending_max_bytes: int = 64_000_000
    # The same of bodies on their way, whose signatures are not known yet; past 64 KB each.
    arriving_max_bytes: int = 64_000_000
    answer_deadline_seconds: float = 3.0
    commit_timeout_seconds: float = 10.0
    body_deadline_seconds: float = 2.0
    header_deadline_seconds: float = 10.0
    # Long, so that it is the client who ends an idle connection: a server's close can cross a
    # request on its way, and Customer.io would wait an hour after `EOF` (customerio.md section 9).
    keepalive_seconds: float = 900.0
    # Per process; fewer when the system's limit of open files is lower.
    max_connections: int = 4096
    max_headers: int = 64
    max_header_bytes: int = 8190
    # Of headers that come in pieces, all together.
    head_max_bytes: int = 65_536
    retry_after_seconds: int = 5
    pressure_interval_seconds: float = 0.5
    pressure_timeout_seconds: float = 2.0
    ping_timeout_seconds: float = 1.0
    ping_cache_seconds: float = 1.0
    memory_share: float = 0.9
    backlog_max_events: int = 5_000_000
    # SIGTERM: /readyz says 503 for so long before the socket is closed.
    shutdown_delay_seconds: float = 3.0
    # A retiring process leaves clients so long to take their connections elsewhere.
    retire_seconds: float = 5.0


@dataclass(frozen=True, slots=True)
class ReceiverConnection:
    """What the receiver needs of a connection. `keys`: live signing keys, never empty.

    `replay_window_seconds`: None switches the check off. `sources`: None lets every address in.
    """

    name: str
    keys: tuple[bytes, ...]
    replay_window_seconds: float | None = None
    body_limit_bytes: int = 1_000_000
    sources: SourceFilter | None = None

    def __post_init__(self) -> None:
        if not self.keys or not all(self.keys):
            raise ValueError(f"connection {self.name}: a signing key is missing or empty")

    def __repr__(self) -> str:
        return f"ReceiverConnection({self.name!r}, {len(self.keys)} keys)"
