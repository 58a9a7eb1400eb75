"""One flow: what it joins, its state, and how it shows (platform.md section 1.7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from aiohttp import web

from app.sandbox.config import Inlet
from app.sandbox.flowservice.connections import inlet_url, shown_of
from app.sandbox.flowservice.specs import DATA_LAKE, FLOW_SPECS
from app.sandbox.plane.document import Document
from app.sandbox.state import Sandbox

State = Literal["enabled", "disabled"]
# Why a flow drops what its inlet took in.
Drop = Literal["unsettled", "disabled"]


@dataclass(slots=True)
class Flow:
    """`inlet`: how data come in, as source and target said when the flow was made; what is done to
    them later changes nothing here (section 1.10). `mapping`: id and version of its mapping set.

    Unix seconds: `settles`, until when what is sent is lost (section 7, point 1), and `until`, how
    long the operation `doing` takes. `operation`: as `lastOperation` shows it.
    """

    document: Document
    source_id: str
    target_id: str
    inlet: Inlet
    mapping: tuple[str, int] | None
    settles: float
    operation: dict[str, Any]
    state: State = "enabled"
    doing: str = ""
    until: float = 0.0

    @property
    def id(self) -> str:
        return self.document.id

    def drops(self, now: float) -> Drop | None:
        """Why a message that comes at `now` is lost without a word, if it is.

        What becomes of data for a disabled flow is not documented (section 8): the worst is that
        they are taken in and dropped, so that is what happens here.
        """
        if self.state == "disabled":
            return "disabled"
        return "unsettled" if now < self.settles else None

    def transition(self, now: float) -> str:
        """The operation that is under way, such as disabling; "" when there is none."""
        return self.doing if now < self.until else ""

    def shown(self, request: web.Request, sandbox: Sandbox) -> dict[str, Any]:
        """One item of an answer. The inlet is this sandbox's own."""
        spec = FLOW_SPECS[self.document.body["flowSpec"]["id"]]
        return {
            **shown_of(sandbox, self.document),
            "state": self.transition(sandbox.clock()) or self.state,
            "inheritedAttributes": {
                "properties": {"isSourceFlow": True},
                "sourceConnections": [
                    {"id": self.source_id, "connectionSpec": {"id": spec.source, "version": "1.0"}}
                ],
                "targetConnections": [
                    {"id": self.target_id, "connectionSpec": {"id": DATA_LAKE, "version": "1.0"}}
                ],
            },
            "options": {"inletUrl": inlet_url(request, self.inlet.id)},
            "runs": f"/runs?property=flowId=={self.id}",
            "providerRefId": self.id,
            "lastOperation": self.operation,
        }
