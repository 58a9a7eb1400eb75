"""Connections: one Customer.io workspace joined to one Platform dataflow, one YAML file each."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from app.core.platform import Inlet, inlet_urls

# The usual scopes of a Platform credential (platform.md section 3).
PLATFORM_SCOPES: Final = (
    "openid",
    "AdobeID",
    "read_organizations",
    "additional_info.projectedProductContext",
    "session",
)
NAME_PATTERN: Final = r"^[a-z0-9-]{1,40}$"

Network = IPv4Network | IPv6Network
Text = Annotated[str, Field(min_length=1)]


def _a_number(value: Any) -> Any:
    """YAML's `yes` is no number, though Python would take it for 1."""
    if isinstance(value, bool):
        raise ValueError(f"is {str(value).lower()}, wanted a number")
    return value


Number = BeforeValidator(_a_number)


def _inlet_url(value: str | None) -> str | None:
    """Refuses what is no inlet's address, in the words of `inlet_urls`."""
    if value is not None:
        inlet_urls(value)
    return value


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Schema(_Part):
    """The dataset's XDM schema, as Platform's envelope names it (platform.md section 2.3)."""

    id: Text = Field(description="the schema's $id, https://ns.adobe.com/TENANT/schemas/HASH")
    content_type: str = Field(
        "application/vnd.adobe.xed-full+json;version=1",
        pattern=r"^application/vnd\.adobe\.xed",
        description="application/vnd.adobe.xed-full+json;version=1 for most",
    )
    document: Text = Field(
        "customerio-events",
        description="a file in config/schemas, without .json: the types that records are brought "
        "to and checked against",
    )


class Credentials(_Part):
    """OAuth server-to-server credentials (platform.md section 3)."""

    client_id: Text = Field(description="the API key of the Developer Console project")
    client_secrets: tuple[bytes, ...] = Field(
        repr=False,
        min_length=1,
        description="one or two (for rotation), each {env: NAME} or {file: path}",
    )
    scopes: tuple[Text, ...] = Field(
        PLATFORM_SCOPES, min_length=1, description="the list the Developer Console shows"
    )
    ims_url: str = Field(
        "https://ims-na1.adobelogin.com/ims/token/v3",
        pattern=r"^https?://\S+$",
        description="the token endpoint, https://...",
    )


class Platform(_Part):
    """The inlet, and what every message to it must say."""

    url: Annotated[str | None, AfterValidator(_inlet_url)] = Field(
        None, description="the inlet's address, https://dcs.adobedc.net/collection/INLET_ID"
    )
    host: str | None = Field(
        None, pattern=r"^https?://[^/?\s]+/?$", description="https://dcs.adobedc.net"
    )
    inlet_id: str | None = Field(
        None, pattern=r"^[^/?\s]+$", description="the last part of the inlet's address"
    )
    mode: Literal["xdm", "raw"] = Field(
        "xdm", description="xdm: Sluice maps; raw: the dataflow's own mapping set does"
    )
    authenticated: bool = Field(False, description="true when the inlet wants a token")
    api_url: str = Field(
        "https://platform.adobe.io",
        pattern=r"^https?://[^/?\s]+/?$",
        description="Platform's own API, https://platform.adobe.io; asked only with credentials",
    )
    flow_id: Text = Field(description="the id of the dataflow")
    dataset_id: Text = Field(description="the id of the target dataset (quote it: text)")
    schema_ref: Schema = Field(alias="schema", description="a mapping with id and content_type")
    org_id: str = Field(pattern=r"^\S+@AdobeOrg$", description="the IMS organization, ...@AdobeOrg")
    sandbox_name: str = Field(
        "prod", pattern=r"^[a-z0-9-]+$", description="Platform's sandbox, lower case"
    )
    credentials: Credentials | None = Field(
        None, description="client_id and client_secrets; needed when authenticated is true"
    )

    @model_validator(mode="after")
    def _complete(self) -> Platform:
        if (self.url is None) == (self.host is None):
            raise ValueError("write either url, or host and inlet_id")
        if self.host is not None and self.inlet_id is None:
            raise ValueError("inlet_id is missing; host needs it")
        if self.url is not None and self.inlet_id is not None:
            raise ValueError("inlet_id is given twice; url holds it already")
        if self.authenticated and self.credentials is None:
            raise ValueError("authenticated is true, so credentials are needed")
        return self

    @property
    def inlet(self) -> Inlet:
        """What delivery needs to know."""
        host = (self.host or "").rstrip("/")
        url, batch_url, inlet_id = inlet_urls(self.url or f"{host}/collection/{self.inlet_id}")
        return Inlet(
            url=url,
            batch_url=batch_url,
            inlet_id=inlet_id,
            mode=self.mode,
            flow_id=self.flow_id,
            dataset_id=self.dataset_id,
            schema_id=self.schema_ref.id,
            schema_content_type=self.schema_ref.content_type,
            org_id=self.org_id,
            sandbox_name=self.sandbox_name,
            authenticated=self.authenticated,
        )


class Limits(_Part):
    """What one lane may ask of Platform. The defaults are nine tenths of its documented limits
    (section 2.7), which are an organization's: connections to one organization share them."""

    requests_per_second: Annotated[float, Number] = Field(
        900, gt=0, description="requests per second of all workers together"
    )
    messages_per_second: Annotated[float, Number] = Field(
        9_000, gt=0, description="messages per second of all workers together"
    )
    max_in_flight: Annotated[int, Number] = Field(
        8, ge=1, le=256, description="requests of one worker under way at a time"
    )
    request_max_bytes: Annotated[int, Number] = Field(
        1_000_000, ge=1_000, le=1_048_576, description="bytes of one request, uncompressed"
    )
    request_timeout_seconds: Annotated[float, Number] = Field(
        30, gt=0, description="seconds Platform may take to answer"
    )


class Reconcile(_Part):
    """How Platform is asked what became of the events it took (platform.md section 6)."""

    enabled: bool | None = Field(
        None, description="true or false; left out: when there are credentials"
    )
    interval_seconds: Annotated[float, Number] = Field(
        900, gt=0, le=86_400, description="seconds from one look at Platform to the next"
    )
    late_after_seconds: Annotated[float, Number] = Field(
        7_200, ge=0, description="seconds after an hour's end when what has not landed is late"
    )
    missing_after_seconds: Annotated[float, Number] = Field(
        86_400, ge=0, description="seconds after an hour's end when its run is missing"
    )
    look_back_seconds: Annotated[float, Number] = Field(
        86_400, gt=0, le=2_592_000, description="seconds that each look goes back, at least"
    )

    @model_validator(mode="after")
    def _in_order(self) -> Reconcile:
        if self.missing_after_seconds < self.late_after_seconds:
            raise ValueError("missing_after_seconds must not be less than late_after_seconds")
        return self


class IdentityNamespaces(_Part):
    """Namespace codes for `identityMap`. Custom ones must be registered in Platform first."""

    email: Text = Field("Email", description="a namespace code")
    id: Text = Field("customerId", description="a namespace code")
    cio_id: Text = Field("customerioId", description="a namespace code")


class Connection(_Part):
    """One connection file, secrets filled in. Made by `load_connections`, or by name in a test."""

    name: str = Field(
        pattern=NAME_PATTERN, description="the file's name: a-z, 0-9 and -, at most 40"
    )
    signing_keys: tuple[bytes, ...] = Field(
        repr=False,
        min_length=1,
        description="a list, each {env: NAME} or {file: path}; every live key is tried",
    )
    replay_window_seconds: Annotated[float | None, Number] = Field(
        None, gt=0, description="seconds X-CIO-Timestamp may be old; leave it out for no check"
    )
    body_limit_bytes: Annotated[int, Number] = Field(
        1_000_000, ge=1_000, le=16_000_000, description="bytes of the largest body taken"
    )
    allowed_sources: tuple[Network, ...] = Field(
        (), description="networks or presets; leave it out to take webhooks from anywhere"
    )
    mapping_set: Text = Field(description="a file in config/mappings, without .json")
    tenant: str = Field(
        pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_]*$",
        description="the Platform tenant id, without the leading underscore",
    )
    identity_namespaces: IdentityNamespaces = Field(
        default_factory=IdentityNamespaces, description="codes for email, id and cio_id"
    )
    platform: Platform = Field(description="the inlet: url or host and inlet_id, flow_id, ...")
    limits: Limits = Field(default_factory=Limits, description="what Platform may be asked")
    reconcile: Reconcile = Field(
        default_factory=Reconcile, description="how Platform is asked what became of events"
    )
    # Where the files it names were found; absent in connections made by a test.
    mapping_path: Path | None = Field(None, exclude=True, repr=False)
    schema_path: Path | None = Field(None, exclude=True, repr=False)

    @model_validator(mode="after")
    def _reconcilable(self) -> Connection:
        if self.reconcile.enabled and self.platform.credentials is None:
            raise ValueError("reconcile.enabled is true, so platform.credentials are needed")
        return self

    @property
    def reconciles(self) -> bool:
        """Whether Platform is asked what became of this connection's events."""
        return self.platform.credentials is not None and self.reconcile.enabled is not False

    @property
    def mapping_variables(self) -> dict[str, str]:
        """What `{TENANT}` and its like in the mapping set stand for."""
        return {
            "TENANT": self.tenant,
            "EMAIL_NAMESPACE": self.identity_namespaces.email,
            "ID_NAMESPACE": self.identity_namespaces.id,
            "CIO_ID_NAMESPACE": self.identity_namespaces.cio_id,
        }
