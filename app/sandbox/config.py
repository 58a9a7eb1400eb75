"""What a sandbox Platform is told at start. Immutable; every number states its unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Mode = Literal["xdm", "raw"]
# Which of the reference's two 207 shapes is spoken; "both" takes turns (platform.md section 2.5).
EntryStyle = Literal["statusCode", "status", "both"]
# Which of the two error keys a failed batch's lines carry (section 6.2, point 3); "byKind": format
# faults as the documentation shows them (`_validationErrors`), all others as field samples do.
LineStyle = Literal["byKind", "_errors", "_validationErrors"]
# How a run spells its activities: the guide's way, the API model's, or both in turn (section 6.1).
Activities = Literal["activities", "activites", "both"]
# What validating an expression answers: the guide's object, or the API file's boolean (4.1).
ExpressionAnswer = Literal["guide", "boolean"]
# Customer.io's two regions (customerio.md section 10): each has an App API of its own.
Region = Literal["us", "eu"]


@dataclass(frozen=True, slots=True)
class Inlet:
    """One streaming inlet with its one dataflow.

    `raw_batch` False: a batch of raw messages is refused as such (section 2.3 leaves it open).
    `sync_validation` False: the inlet is not in data centre VA7, so 501 (section 2.4).
    """

    id: str
    org_id: str
    dataset_id: str
    schema_id: str
    schema_content_type: str
    flow_id: str
    mode: Mode = "xdm"
    authenticated: bool = False
    raw_batch: bool = True
    sync_validation: bool = True


@dataclass(frozen=True, slots=True)
class ImsClient:
    """A credential. Two secrets may be live at once (section 3). `entitled` False: its tokens are
    good, its calls are refused with 403 (section 7, point 18)."""

    client_id: str
    secrets: tuple[str, ...]
    org_id: str
    scopes: tuple[str, ...]
    entitled: bool = True


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace of Customer.io. Its App API keys are good in its region only; `signing_key` is
    shown on its reporting-webhook page (/customerio/workspaces/NAME), and in no answer of the App
    API (customerio.md sections 8 and 10)."""

    name: str
    app_keys: tuple[str, ...]
    signing_key: str
    region: Region = "us"


@dataclass(frozen=True, slots=True)
class SandboxConfig:
    """A whole sandbox Platform.

    `schema`: the JSON schema that records are validated against, later; None: only the rules that
    hold for every ExperienceEvent. `body_limit`: bytes; "1 MB" is read as the smaller meaning.
    Rates are per organisation and second; None: no limit. `retry_after_s`: sent with a 429 when
    set; none is documented. `validation_delay_s`: how much later a bad record shows as failed.
    `keep_records`: how many of the newest records are kept whole; all are counted.
    `allowed_addresses`: callers from elsewhere get 403 with an empty body; None: anyone may call.
    `sink`: parse nothing, count, answer at once; for measuring others; nothing reaches the lake.
    `hour_seconds`: how many real seconds Platform's hour lasts; a flow run is made for each.
    `batch_minutes`: of Platform's time, the length of a micro-batch.
    `keep_batches`: how many micro-batches, with their runs, are remembered. `keep_failures`: how
    many failed lines, over all of them; the oldest files go first, their counts stay.
    `time_factor`: how much faster Customer.io's back-off runs; at 3600 its hour is a second.
    `webhook_timeout_s`: how long it waits for an answer, in real seconds whatever the factor.
    `app_api_per_second`: requests per App API key.
    The control plane: `tenant`, under whose name custom fields lie; `settle_seconds`, real ones,
    for how long after a flow was made or changed its data are lost (section 7, point 1);
    `transition_seconds`, of Platform's time, that enabling and disabling take;
    `patch_is_operation`, whether a flow's `lastOperation` tells of a PATCH, or of enabling and
    disabling alone, which is all that section 1.7 shows;
    `schema_cache_seconds`, real ones, that a changed schema is still checked as it was.
    """

    inlets: tuple[Inlet, ...]
    ims_clients: tuple[ImsClient, ...] = ()
    schema: Mapping[str, Any] | None = None
    entry_style: EntryStyle = "statusCode"
    body_limit: int = 1_000_000
    requests_per_second: float | None = 1_000.0
    messages_per_second: float | None = 10_000.0
    sync_validations_per_minute: float = 60.0
    retry_after_s: int | None = None
    token_lifetime_s: int = 86_399
    token_fetches_per_minute: float | None = None
    validation_delay_s: float = 2.0
    keep_records: int = 50_000
    allowed_addresses: frozenset[str] | None = None
    sink: bool = False
    sandbox_name: str = "prod"
    hour_seconds: float = 3600.0
    batch_minutes: float = 15.0
    line_style: LineStyle = "byKind"
    activities: Activities = "activities"
    keep_batches: int = 2_000
    keep_failures: int = 100_000
    lines_per_file: int = 1_000
    workspaces: tuple[Workspace, ...] = ()
    time_factor: float = 1.0
    webhook_timeout_s: float = 4.0
    app_api_per_second: int = 10
    tenant: str = "tenant"
    settle_seconds: float = 300.0
    transition_seconds: float = 5.0
    patch_is_operation: bool = True
    schema_cache_seconds: float = 0.0
    expression_answer: ExpressionAnswer = "guide"
