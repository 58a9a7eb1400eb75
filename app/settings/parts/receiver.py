"""The receiver: where it listens, what it commits together, and when it answers 503."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field
from pydantic_settings import NoDecode

from app.settings.parts.values import Port

Network = IPv4Network | IPv6Network


def _networks(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return tuple(ip_network(part.strip()) for part in value.split(",") if part.strip())


class ReceiverSettings(BaseModel):
    """Who takes the webhooks."""

    receiver_host: str = Field("127.0.0.1", description="the address the receiver listens on")
    receiver_port: Port = Field(8080, description="the port the receiver listens on")
    receiver_processes: int = Field(1, ge=1, le=256, description="processes sharing that port")
    public_url: str | None = Field(
        None,
        pattern=r"^https?://[^/]+.*$",
        description="how Customer.io reaches the receiver, for what is printed and looked at",
    )
    receiver_url: str | None = Field(
        None,
        pattern=r"^https?://[^/]+.*$",
        description="where commands reach the receiver, when it is not on this machine's "
        "SLUICE_RECEIVER_PORT",
    )
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_networks)] = Field(
        (), description="networks, comma-separated, whose X-Forwarded-For is believed"
    )
    linger_ms: float = Field(
        5, ge=0, le=1000, description="milliseconds an event may wait for others to be committed"
    )
    batch_max_events: int = Field(500, ge=1, le=10_000, description="events in one event batch")
    batch_max_bytes: int = Field(
        1_000_000, ge=1_000, le=64_000_000, description="raw bytes in one event batch"
    )
    answer_deadline_seconds: float = Field(
        3, gt=0, lt=4, description="seconds until a webhook is answered 503; Customer.io waits 4"
    )
    shutdown_delay_seconds: float = Field(
        3, ge=0, description="seconds of /readyz 503 before a stopping receiver stops to accept"
    )
    backlog_max_events: int = Field(
        5_000_000, ge=1, description="events in flight above which webhooks are answered 503"
    )
    memory_share: float = Field(
        0.8, gt=0, lt=1, description="share of Redis' maxmemory above which webhooks get 503"
    )
