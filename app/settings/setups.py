"""Setups: what is wanted at both ends of a connection, one YAML file each, `config/setups/`.

A connection says how to deliver; a setup says what has to exist so that it can. `sluice connection
apply` makes the one out of the other. README.md has a table of all keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.settings.connections import (
    NAME_PATTERN,
    Credentials,
    IdentityNamespaces,
    Limits,
    Number,
    Reconcile,
    Text,
)

Family = Literal["customer", "email", "in_app", "push", "slack", "sms", "whatsapp", "webhook"]
FAMILIES: Final[tuple[Family, ...]] = get_args(Family)

# platform.md section 1.7: data sent sooner may be lost.
SETTLE_SECONDS: Final = 300.0

_HOSTS: Final = {"us": "https://api.customer.io", "eu": "https://api-eu.customer.io"}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WantedSchema(_Part):
    """Titles are unique in an organization's registry (platform.md section 5.1)."""

    title: Text = Field("Customer.io events", description="the schema's title in Platform")
    field_group: Text = Field(
        "Customer.io event", description="the title of the field group with the tenant's fields"
    )
    document: Text = Field(
        "customerio-events", description="a file in config/schemas, without .json: the fields"
    )
    union: bool = Field(
        True,
        description="whether the schema is enabled for Profile; the streaming validator wants it, "
        "and it cannot be undone",
    )


class Descriptor(_Part):
    """An identity descriptor (platform.md section 5.1, step 3). None is needed with identityMap."""

    path: str = Field(
        pattern=r"^/\S*[^/\s]$",
        description="the field, /_TENANT/customerio/id; {TENANT} is filled in",
    )
    namespace: Text = Field(description="a namespace code")
    primary: bool = Field(
        False, description="true makes the field mandatory: events without it are refused"
    )


class WantedDataset(_Part):
    name: Text = Field("Customer.io events", description="the dataset's name in Platform")
    profile: bool = Field(
        False, description="true: events go to Profile and Identity, too; it cannot be undone here"
    )
    row_expiry: str | None = Field(
        None,
        pattern=r"^P[1-9]\d{0,3}[DMY]$",
        description="after which rows go: P90D, P13M, P3Y; leave it out to keep them",
    )


class Source(_Part):
    """Which of Platform's two sources the inlet belongs to (platform.md sections 1.1, 1.9)."""

    kind: Literal["http_api", "customerio"] = Field(
        "http_api", description="http_api, or customerio: Adobe's own (beta), open and raw"
    )
    data_type: Literal["xdm", "raw"] | None = Field(
        None, description="xdm: Sluice maps; raw: the dataflow does. customerio is always raw"
    )
    authenticated: bool | None = Field(
        None, description="whether the inlet wants a token; http_api only, and there the default"
    )

    @model_validator(mode="after")
    def _possible(self) -> Source:
        if self.kind == "customerio" and self.data_type == "xdm":
            raise ValueError("the customerio source takes raw data only; xdm needs kind: http_api")
        if self.kind == "customerio" and self.authenticated:
            raise ValueError("the customerio source's inlet takes no token; use kind: http_api")
        return self

    @property
    def mode(self) -> Literal["xdm", "raw"]:
        """What the connection's `platform.mode` has to be."""
        return self.data_type or ("raw" if self.kind == "customerio" else "xdm")

    @property
    def wants_token(self) -> bool:
        return self.kind == "http_api" if self.authenticated is None else self.authenticated


class WantedPlatform(_Part):
    """Platform's end."""

    org_id: str = Field(pattern=r"^\S+@AdobeOrg$", description="the IMS organization, ...@AdobeOrg")
    sandbox_name: str = Field(
        "prod", pattern=r"^[a-z0-9-]+$", description="Platform's sandbox, lower case"
    )
    api_url: str = Field(
        "https://platform.adobe.io",
        pattern=r"^https?://[^/?\s]+/?$",
        description="Platform's own API, https://platform.adobe.io",
    )
    credentials: Credentials = Field(description="client_id and client_secrets")
    schema_: WantedSchema = Field(
        default_factory=WantedSchema, alias="schema", description="title, field_group, document"
    )
    register_namespaces: bool = Field(
        True, description="whether identity namespaces that are missing are made"
    )
    descriptors: tuple[Descriptor, ...] = Field(
        (), description="identity descriptors, each with path and namespace; none are needed"
    )
    dataset: WantedDataset = Field(
        default_factory=WantedDataset, description="name, profile, row_expiry"
    )
    source: Source = Field(
        default_factory=lambda: Source(**{}), description="kind, data_type, authenticated"
    )
    flow: Text | None = Field(
        None, description="the dataflow's name; its connections take it, too. Default: Sluice NAME"
    )
    settle_seconds: Annotated[float, Number] = Field(
        SETTLE_SECONDS,
        ge=0,
        le=3_600,
        description="seconds that nothing is sent after the flow was made or changed; Adobe says 5 "
        "minutes",
    )

    @model_validator(mode="after")
    def _consistent(self) -> WantedPlatform:
        if self.dataset.profile and not self.schema_.union:
            raise ValueError("dataset.profile is true, so schema.union must be, too")
        if sum(each.primary for each in self.descriptors) > 1:
            raise ValueError("descriptors: only one of a schema may be primary")
        return self


class WantedCustomerio(_Part):
    """Customer.io's end."""

    region: Literal["us", "eu"] = Field("us", description="us or eu: where the workspace is")
    api_url: str | None = Field(
        None, pattern=r"^https?://[^/?\s]+/?$", description="the App API; default: the region's"
    )
    api_key: bytes = Field(
        repr=False, description="an App API key of the workspace, {env: NAME} or {file: path}"
    )
    public_url: str = Field(
        pattern=r"^https?://[^/?#\s]+(/[^?#\s]*)?$",
        description="how Customer.io reaches the receiver, https://hooks.example.com",
    )
    webhook: Text | None = Field(
        None, description="the reporting webhook's name; default: Sluice NAME"
    )
    families: tuple[Family, ...] = Field(
        FAMILIES, min_length=1, description=f"of {', '.join(FAMILIES)}; default: all"
    )
    full_resolution: bool = Field(
        False, description="true: every open and click; false: the first of each person"
    )
    with_content: bool = Field(
        False,
        description="true: sent events carry the message's body. Events over 10 KB are dropped "
        "from Profile (platform.md section 2.7), so leave it off with a profile dataset",
    )
    signing_key_file: Text | None = Field(
        None,
        description="where the signing key is put, readable by its owner only; relative to the "
        "data folder. Default: connect/NAME.signing-key",
    )

    @property
    def url(self) -> str:
        """Where the App API is."""
        return (self.api_url or _HOSTS[self.region]).rstrip("/")


class Setup(_Part):
    """One setup file, secrets filled in. Made by `load_setup`, or by name in a test."""

    name: str = Field(
        pattern=NAME_PATTERN, description="the file's name: a-z, 0-9 and -, at most 40"
    )
    mapping_set: Text = Field(
        "customerio-default", description="a file in config/mappings, without .json"
    )
    identity_namespaces: IdentityNamespaces = Field(
        default_factory=IdentityNamespaces, description="codes for email, id and cio_id"
    )
    platform: WantedPlatform = Field(description="Platform's end: org_id, credentials, ...")
    customerio: WantedCustomerio = Field(description="Customer.io's end: api_key, public_url, ...")
    # Of the connection file, as they are.
    replay_window_seconds: Annotated[float | None, Number] = Field(
        None, gt=0, description="of the connection: seconds X-CIO-Timestamp may be old"
    )
    body_limit_bytes: Annotated[int | None, Number] = Field(
        None, ge=1_000, le=16_000_000, description="of the connection: bytes of the largest body"
    )
    allowed_sources: tuple[str, ...] = Field(
        (), description="of the connection: networks or presets"
    )
    limits: Limits | None = Field(None, description="of the connection")
    reconcile: Reconcile | None = Field(None, description="of the connection")
    # The document as it was written, references unresolved: what the connection file repeats.
    written: Mapping[str, Any] = Field(default_factory=dict, exclude=True, repr=False)

    @property
    def flow_name(self) -> str:
        return self.platform.flow or f"Sluice {self.name}"

    @property
    def webhook_name(self) -> str:
        return self.customerio.webhook or f"Sluice {self.name}"

    @property
    def webhook_url(self) -> str:
        return f"{self.customerio.public_url.rstrip('/')}/webhooks/{self.name}"

    @property
    def mode(self) -> Literal["xdm", "raw"]:
        return self.platform.source.mode

    def mapping_variables(self, tenant: str) -> dict[str, str]:
        """What `{TENANT}` and its like stand for, as in `Connection.mapping_variables`."""
        return {
            "TENANT": tenant,
            "EMAIL_NAMESPACE": self.identity_namespaces.email,
            "ID_NAMESPACE": self.identity_namespaces.id,
            "CIO_ID_NAMESPACE": self.identity_namespaces.cio_id,
        }
