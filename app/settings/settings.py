"""What a process is told by its environment: `SLUICE_*`, all optional, units in the names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from app.core.errors import ConfigError
from app.core.redis_address import Endpoint, RedisAddress, Sentinels, endpoint
from app.settings.faults import close_match, lines_of
from app.settings.folders import Folders
from app.settings.home import default_config_dir, default_data_dir
from app.settings.oidc import oidc_faults, roles_in
from app.settings.pem import pem_faults
from app.settings.secrets import read_secret

PREFIX: Final = "SLUICE_"

# Kubernetes describes every service to every container: a service called `sluice` or
# `sluice-receiver` would otherwise look like settings of ours.
_FROM_KUBERNETES: Final = re.compile(
    r"SLUICE_(?:\w+_)?(?:SERVICE_(?:HOST|PORT)\w*|PORT_\d+_(?:TCP|UDP)\w*)|SLUICE_PORT"
)

Network = IPv4Network | IPv6Network
Seconds = Annotated[float, Field(gt=0)]
Port = Annotated[int, Field(ge=0, le=65535)]

SENTINEL_PORT: Final = 26379

# Settings that may hold a secret: each may come from the file that `{name}_FILE` names.
_SECRETS: Final = ("REDIS_URL", "REDIS_PASSWORD", "REDIS_SENTINEL_PASSWORD", "API_TOKEN",
                   "OIDC_CLIENT_SECRET")  # fmt: skip


def _networks(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return tuple(ip_network(part.strip()) for part in value.split(",") if part.strip())


def _endpoints(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return tuple(endpoint(part, SENTINEL_PORT) for part in value.split(",") if part.strip())


class Settings(BaseSettings):
    """One process's settings. Made by `load_settings`, or by name in a test."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

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
    config_dir: Path = Field(
        default_factory=default_config_dir,
        description="the folder with connections/, setups/, mappings/ and schemas/",
    )
    generated_dir: Path | None = Field(
        None,
        description="the folder for the connections/ and setups/ that `sluice connect` and the "
        "console write, where SLUICE_CONFIG_DIR is read-only; both are read; unset: that one",
    )
    data_dir: Path = Field(
        default_factory=default_data_dir,
        description="where `sluice up` keeps its data, and workers the dead letters that are too "
        "many for Redis, and their archive",
    )
    log_format: Literal["auto", "json", "console"] = Field(
        "auto", description="json, console, or auto: console on a terminal, else json"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="the least severe level that is written"
    )

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

    console_host: str = Field("127.0.0.1", description="the address the console listens on")
    console_port: Port = Field(8070, description="the port the console listens on")
    console_url: str | None = Field(
        None,
        pattern=r"^https?://[^/?#\s]+/?$",
        description="how browsers reach the console, https://sluice.example.com: decides whether "
        "cookies are for https only, and which origin forms may come from",
    )
    console_idle_minutes: float = Field(
        30, gt=0, le=1440, description="minutes after which an unused console session ends"
    )
    console_session_hours: float = Field(
        12, gt=0, le=168, description="hours after which any console session ends"
    )
    api_token: str | None = Field(
        None,
        repr=False,
        description="a token of `sluice users token add`: with it, commands ask the console at "
        "SLUICE_CONSOLE_URL instead of Redis",
    )
    oidc_issuer: str | None = Field(
        None,
        pattern=r"^https?://[^/?#\s]+[^?#\s]*$",
        description="the OpenID provider that people may log in through, as its discovery document "
        "calls itself, https://login.example.com",
    )
    oidc_client_id: str | None = Field(
        None, min_length=1, description="as what the console is registered there"
    )
    oidc_client_secret: str | None = Field(
        None, repr=False, min_length=1, description="its secret there, if it has one"
    )
    oidc_scopes: str = Field(
        "openid profile email", pattern=r"^openid( \S+)*$", description="what is asked for there"
    )
    oidc_name_claim: str = Field(
        "email", min_length=1, description="the claim that becomes the user's name"
    )
    oidc_role_claim: str = Field(
        "groups", min_length=1, description="the claim that roles follow from; `a.b` is b in a"
    )
    oidc_roles: Annotated[tuple[tuple[str, str], ...], NoDecode, BeforeValidator(roles_in)] = Field(
        (), description="GROUP=ROLE; GROUP=ROLE: who is what; nobody else gets in"
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

    redis_port: Port = Field(6390, description="the port of the Redis that `sluice up` starts")
    sandbox_url: str | None = Field(
        None,
        pattern=r"^https?://[^/]+.*$",
        description="where commands reach the sandbox, when it is not on this machine's "
        "SLUICE_SANDBOX_PORT",
    )
    sandbox_host: str = Field("127.0.0.1", description="the address the sandbox listens on")
    sandbox_port: Port = Field(8090, description="the port the sandbox listens on")

    @property
    def folders(self) -> Folders:
        """Where connections, setups and the documents that they name lie."""
        return Folders(self.config_dir, self.generated_dir)

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

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is passed counts: the environment comes in through `load_settings`."""
        return (init_settings,)


class _Given(EnvSettingsSource):
    """Reads the mapping it is given instead of this process's environment."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(Settings)
        self.env_vars = {name.lower(): value for name, value in environ.items()}


def load_settings(environ: Mapping[str, str]) -> Settings:
    """The settings in `environ`. Raises ConfigError with every fault, unknown names included."""
    ours = {
        name: value
        for name, value in environ.items()
        if name.startswith(PREFIX)
        and not _FROM_KUBERNETES.fullmatch(name)
        and not value.startswith("tcp://")
    }
    faults: list[str] = []
    for name in _SECRETS:
        _read_file(f"{PREFIX}{name}", ours, faults)
    known = {f"{PREFIX}{field.upper()}" for field in Settings.model_fields}
    for name in sorted(ours.keys() - known):
        faults.append(f"environment: {name}: unknown setting{close_match(name, known)}")
    try:
        settings = Settings(**_Given({n: v for n, v in ours.items() if n in known})())
    except ValidationError as error:
        faults += [
            re.sub(r"^environment: (\w+)", lambda m: f"environment: {PREFIX}{m[1].upper()}", line)
            for line in lines_of(error, Settings, "environment")
        ]
    if faults:
        raise ConfigError(faults)
    if faults := [f"environment: {fault}" for fault in _together(settings)]:
        raise ConfigError(faults)
    return settings


def _together(settings: Settings) -> list[str]:
    """What is wrong with several settings together, or with the files that they name."""
    found = settings.redis.faults()
    if bool(settings.redis_sentinels) != bool(settings.redis_sentinel_master):
        missing = "SENTINEL_MASTER" if settings.redis_sentinels else "SENTINELS"
        found.append(
            f"SLUICE_REDIS_{missing}: missing; the Sentinels and the master's name go together"
        )
    return [*(found or pem_faults(settings.redis)), *oidc_faults(settings)]


def _read_file(name: str, ours: dict[str, str], faults: list[str]) -> None:
    """`{name}_FILE`: what may be a secret may come as a file."""
    path = ours.pop(f"{name}_FILE", None)
    if path is None:
        return
    try:
        ours.setdefault(name, read_secret(Path(path)).decode())
    except (OSError, UnicodeDecodeError) as fault:
        faults.append(f"environment: {name}_FILE: cannot read {path}: {fault}")
