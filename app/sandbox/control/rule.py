"""One fault on demand, as it is posted to /faults: when it applies, and what it does. Pure.

A rule says when (`scope`, `inlet`, `share`, `duration_seconds`, `times`) and what: one action.
`latency_ms` may stand alone or beside an action on requests.
"""

from __future__ import annotations

from typing import Any, Final, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

# What lies behind the gateway: what became of the data, then the control plane.
ControlSide = Literal[
    "flows",
    "runs",
    "batches",
    "files",
    "metrics",
    "connections",
    "registry",
    "namespaces",
    "datasets",
    "mappings",
]
Side = Literal["collection", "ims", "lake", "app_api"] | ControlSide
Scope = Literal["collection", "ims", "both", "control", ControlSide, "lake", "app_api"]
CONTROL: Final[frozenset[str]] = frozenset(get_args(ControlSide))

# What befalls a request, of one kind or of both.
_ON_COLLECTION: Final = ("partial", "short_answer")
_ON_CONTROL: Final = ("no_role", "half_page", "stale_hours")
_ON_REQUESTS: Final = ("status", "hang", "cut", "garbage", "blocked", "expired_token")
# What becomes of a message that was accepted, and how a run shows.
_ON_MESSAGES: Final = ("lake_fail", "vanish", "run_failed")
_ON_RUNS: Final = (
    "run_late_hours",
    "run_missing",
    "run_count_off",
    "run_counts_lack",
    "run_early",
)
_IN_LAKE: Final = (*_ON_MESSAGES, *_ON_RUNS)
_ACTIONS: Final = (*_ON_REQUESTS, *_ON_COLLECTION, *_ON_CONTROL, *_IN_LAKE)


class Rule(BaseModel):
    """One fault. `scope`: collection (default), ims, both (of these); control, which is all that
    lies behind the gateway, or one of its sides; lake (default of the actions on it); or app_api,
    which is Customer.io's.

    `method` and `path` (how the path begins, query left out) narrow a rule to some calls; `skip`
    lets the first ones by, `times` ends the rule after so many: one call in the middle of many.

    status           answer this instead; `retry_after` (seconds) goes with it, and in scope
                     control `error_code`, for example 2100-404
    error_code       alone: that error, with the status that it ends in; scope control by default
    acted            with `status` or `error_code`: not instead, but after the call did its work
    hang             never answer, until the rule ends; then the connection is cut
    cut              cut the connection: "before" anything happens, or "after" (the messages
                     are in, the object is made, and the answer is lost)
    garbage          do what was asked, then answer with a body that is no JSON
    blocked          403 with an empty body, as for an address that is not allowed
    expired_token    tokens fetched before the rule was made are over
    partial          this share of a request's messages is refused, with `partial_status`
    short_answer     a 207 leaves out the entry of one message that was taken
    no_role          the token is good, the call is 403: the credential is in no role
    half_page        the second half of a page is left out, unsaid; a file's download is cut there
    stale_hours      the answer is as old as that many of Platform's hours

    lake_fail        accepted, and failed later with this code: DCVS codes in a failed batch;
                     MAPPER and INGEST codes as row errors. `lake_path`, `lake_message`
    vanish           accepted, and gone: in no run and no batch
    run_failed       accepted, and lost at promotion: the run of the hour is `failed`
    run_late_hours   runs show that many of Platform's hours later
    run_missing      runs do not show
    run_count_off    runs say that many records more (or less) came in and went out
    run_counts_lack  runs have no counts but how many went out
    run_early        runs show from their first micro-batch on, `processing`, with counts so far
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    scope: Scope = "collection"
    inlet: str | None = None
    method: str | None = None
    path: str | None = None
    skip: int = Field(0, ge=0)
    times: int | None = Field(None, ge=1)
    share: float = Field(1.0, ge=0.0, le=1.0)
    duration_seconds: float | None = Field(None, gt=0.0)
    latency_ms: float = Field(0.0, ge=0.0)
    status: int | None = Field(None, ge=300, le=599)
    retry_after: int | None = Field(None, ge=0)
    error_code: str | None = Field(None, pattern=r"^[A-Za-z0-9_-]+$")
    acted: bool = False
    hang: bool = False
    cut: Literal["before", "after"] | None = None
    garbage: bool = False
    blocked: bool = False
    expired_token: bool = False
    partial: float | None = Field(None, gt=0.0, le=1.0)
    partial_status: int = Field(503, ge=400, le=599)
    short_answer: bool = False
    no_role: bool = False
    half_page: bool = False
    stale_hours: float | None = Field(None, gt=0.0)
    lake_fail: str | None = Field(None, pattern=r"^[A-Z]+-\d+-\d{3}$")
    lake_path: str = Field("#/eventType", pattern=r"^#/")
    lake_message: str = "fault on demand"
    vanish: bool = False
    run_failed: bool = False
    run_late_hours: float | None = Field(None, gt=0.0)
    run_missing: bool = False
    run_count_off: int = 0
    run_counts_lack: bool = False
    run_early: bool = False

    @model_validator(mode="before")
    @classmethod
    def _lake_by_itself(cls, given: Any) -> Any:
        """What can only befall the lake need not say so."""
        if not isinstance(given, dict) or "scope" in given:
            return given
        in_lake = any(given.get(name) for name in _IN_LAKE)
        return {**given, "scope": "lake"} if in_lake else given

    @model_validator(mode="before")
    @classmethod
    def _code_by_itself(cls, given: Any) -> Any:
        """An error code ends in its status; the gateway's own begin with it (section 1.11)."""
        code = given.get("error_code") if isinstance(given, dict) else None
        if not isinstance(code, str):
            return given
        given = {"scope": "control", **given}
        if given.get("status") is not None:
            return given
        digits = code[:3] if code.isdigit() else code[-3:]
        return {**given, "status": digits} if digits.isdigit() else given

    @model_validator(mode="after")
    def _one_effect(self) -> Self:
        actions = self._actions()
        if len(actions) > 1:
            raise ValueError(f"one of {', '.join(actions)}, not several; post one rule each")
        if not actions and not self.latency_ms:
            raise ValueError(f"nothing to do: give latency_ms or one of {', '.join(_ACTIONS)}")
        if self.acted and self.status is None:
            raise ValueError("acted is for status and error_code")
        for action in actions:
            if (wanted := self._scope_fault(action)) is not None:
                raise ValueError(f"{action} is for scope {wanted} only")
        if self.scope == "lake" and (self.latency_ms or not actions):
            raise ValueError(f"scope lake has no requests: give one of {', '.join(_IN_LAKE)}")
        return self

    @property
    def acts(self) -> bool:
        """Whether it does more than delay."""
        return bool(self._actions())

    @property
    def on_runs(self) -> bool:
        """Whether it is about how runs show, and befalls neither request nor message."""
        return any(getattr(self, name) for name in _ON_RUNS)

    def covers(self, side: Side) -> bool:
        """Whether what happens on `side` is in its scope."""
        if self.scope == "both":
            return side in ("collection", "ims")
        return self.scope == side or (self.scope == "control" and side in CONTROL)

    def calls(self, method: str, path: str) -> bool:
        """Whether a call is one of those that it is narrowed to."""
        if self.method is not None and self.method.upper() != method:
            return False
        return self.path is None or path.startswith(self.path)

    def _actions(self) -> list[str]:
        return [name for name in _ACTIONS if getattr(self, name)]

    def _scope_fault(self, action: str) -> str | None:
        """The scope that `action` needs, when it is not this one's."""
        control = self.scope == "control" or self.scope in CONTROL
        allowed = {
            "collection": self.scope == "collection",
            "control": control,
            "collection or control": self.scope == "collection" or control,
            "lake": self.scope == "lake",
            "requests": self.scope != "lake",
        }
        wanted = _scope_of(action)
        return None if allowed[wanted] else wanted


def _scope_of(action: str) -> str:
    if action in _IN_LAKE:
        return "lake"
    if action == "expired_token":
        return "collection or control"
    if action in _ON_COLLECTION:
        return "collection"
    return "control" if action in _ON_CONTROL else "requests"
