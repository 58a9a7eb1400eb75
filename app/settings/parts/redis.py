"""Where the store is, and how it is spoken to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, Field
from pydantic_settings import NoDecode

from app.core.redis_address import Endpoint, RedisAddress, Sentinels, endpoint
from app.settings.pem import pem_faults

SENTINEL_PORT: Final = 26379


def _endpoints(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return tuple(endpoint(part, SENTINEL_PORT) for part in value.split(",") if part.strip())


class RedisSettings(BaseModel):
    """Redis or Valkey: one server, or the master that Sentinels know."""

    redis_url: str = Field(
        "redis://127.0.0.1:6379/0",
        repr=False,
        pattern=r"^(rediss?|unix)://",
        description="where Redis or Valkey is: redis://, rediss:// or unix://",
    )
    redis_password: str | None = Field(
        None, repr=False, description="the password, when SLUICE_REDIS_URL has none"
    )
    redis_ca_file: Path | None = Field(
        None, description="PEM: who signed Redis' certificate; unset: whom this machine trusts"
    )
    redis_cert_file: Path | None = Field(
        None, description="PEM: our certificate, when Redis wants one"
    )
    redis_key_file: Path | None = Field(None, description="PEM: the key of that certificate")
    redis_sentinels: Annotated[tuple[Endpoint, ...], NoDecode, BeforeValidator(_endpoints)] = Field(
        (), description="Redis Sentinels, host:port, comma-separated"
    )
    redis_sentinel_master: str | None = Field(
        None, min_length=1, description="the name under which the Sentinels know the master"
    )
    redis_sentinel_username: str | None = Field(None, description="the Sentinels' ACL user")
    redis_sentinel_password: str | None = Field(
        None, repr=False, description="the Sentinels' own password"
    )
    redis_wait_replicas: int = Field(
        0, ge=0, le=5, description="replicas that must have an event before it is answered 200"
    )

    @property
    def redis(self) -> RedisAddress:
        """How the store is reached."""
        sentinels = None
        if self.redis_sentinels:
            sentinels = Sentinels(
                self.redis_sentinels,
                self.redis_sentinel_master or "",
                self.redis_sentinel_username,
                self.redis_sentinel_password,
            )
        files = (self.redis_ca_file, self.redis_cert_file, self.redis_key_file)
        ca_file, cert_file, key_file = (str(path) if path else None for path in files)
        return RedisAddress(
            self.redis_url, self.redis_password, ca_file, cert_file, key_file, sentinels
        )

    def redis_faults(self) -> list[str]:
        """What does not go together, or is wrong in the files that are named."""
        found = self.redis.faults()
        if bool(self.redis_sentinels) != bool(self.redis_sentinel_master):
            missing = "SENTINEL_MASTER" if self.redis_sentinels else "SENTINELS"
            found.append(
                f"SLUICE_REDIS_{missing}: missing; the Sentinels and the master's name go together"
            )
        return found or pem_faults(self.redis)
