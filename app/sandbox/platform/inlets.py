"""The inlets that the collection service knows, each with the dataflows that it feeds."""

from __future__ import annotations

from typing import Any

from app.sandbox.config import Inlet


class Inlets:
    """By inlet id. Several flows may share one inlet (platform.md section 2.3); one that feeds
    none has a single entry whose `flow_id` is empty."""

    def __init__(self) -> None:
        self._flows: dict[str, dict[str, Inlet]] = {}

    def __contains__(self, inlet_id: str) -> bool:
        return inlet_id in self._flows

    def get(self, inlet_id: str) -> Inlet | None:
        """The inlet with the newest of its flows."""
        flows = self._flows.get(inlet_id)
        return next(reversed(flows.values())) if flows else None

    def of_flow(self, inlet: Inlet, flow_id: Any) -> Inlet:
        """`inlet` with the flow that was named, if it feeds it."""
        flows = self._flows.get(inlet.id, {})
        return flows.get(flow_id, inlet) if isinstance(flow_id, str) else inlet

    def shared(self, inlet: Inlet) -> bool:
        """Whether more than one flow is fed."""
        return len(self._flows.get(inlet.id, ())) > 1

    def add(self, inlet: Inlet) -> None:
        """Open an inlet, let it feed one flow more, or change how it feeds one."""
        flows = self._flows.setdefault(inlet.id, {})
        if inlet.flow_id:
            flows.pop("", None)
        flows[inlet.flow_id] = inlet

    def part(self, inlet: Inlet) -> None:
        """It feeds that flow no more."""
        self._flows.get(inlet.id, {}).pop(inlet.flow_id, None)

    def clear(self) -> None:
        """No inlet is known any more."""
        self._flows.clear()

    def close(self, inlet_id: str) -> None:
        """It is unknown from now on."""
        self._flows.pop(inlet_id, None)

    def flow_inlets(self, flow_id: str) -> list[str]:
        """The ids of the inlets that feed a flow."""
        return [each for each, flows in self._flows.items() if flow_id in flows]
