"""The control plane in a file, so that a sandbox that was stopped goes on with what was set up.

Kept is what was made or changed by calls: Platform's objects and Customer.io's webhooks. What is
there from the start comes from the configuration, at each start anew. Events, faults and tokens are
not kept.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from aiohttp import web
from aiohttp.typedefs import Middleware
from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from app.sandbox.control.befall import Plain
from app.sandbox.customerio.appapi.webhook import Webhook
from app.sandbox.customerio.workspace import Workspaces
from app.sandbox.flowservice.connections import open_inlet
from app.sandbox.flowservice.flow import Flow
from app.sandbox.plane.document import Document
from app.sandbox.registry.resource import Resource
from app.sandbox.state import Sandbox

log = logging.getLogger(__name__)

_VERSION: Final = 1
_LOOKING: Final = ("GET", "HEAD", "OPTIONS")
# Events and tokens: nothing that is kept, and far too many.
_NOT_KEPT: Final = ("/collection/", "/ims/")


@dataclass(slots=True)
class Kept:
    """The file. Tables as in Plane, the versions of a mapping set oldest first; `webhooks`: by the
    name of their workspace."""

    version: Literal[1]
    connections: list[Document]
    sources: list[Document]
    targets: list[Document]
    flows: list[Flow]
    resources: list[Resource]
    descriptors: list[Document]
    datasets: list[Document]
    mapping_sets: list[list[Document]]
    namespaces: list[Document]
    webhooks: dict[str, list[Webhook]]


_FILE: Final = TypeAdapter(Kept)


class Keeper:
    """Of one running sandbox. A file that cannot be used is no reason to stop: it is said."""

    def __init__(self, path: Path, sandbox: Sandbox, workspaces: Workspaces) -> None:
        self._path = path
        self._sandbox = sandbox
        self._workspaces = workspaces
        self._written = b""

    def load(self) -> None:
        """Take up what the file has. In a running loop: webhooks begin to be served."""
        kept = self._read()
        if kept is None:
            return
        _restore(self._sandbox, kept)
        self._workspaces.restore(kept.webhooks)

    def save(self) -> None:
        """Replace the file whole, if there is anything new."""
        content = _FILE.dump_json(_kept(self._sandbox, self._workspaces), indent=1)
        if content == self._written:
            return
        beside = self._path.with_name(f".{self._path.name}.new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(content)
            beside.replace(self._path)
        except OSError as fault:
            log.warning("%s cannot be written (%s): a restart forgets it all", self._path, fault)
        else:
            self._written = content

    def _read(self) -> Kept | None:
        try:
            content = self._path.read_bytes()
            document = from_json(content)
            version = document.get("version") if isinstance(document, dict) else None
            if version != _VERSION:
                self._ignore(f"is of version {version}, not {_VERSION}")
                return None
            return _FILE.validate_python(document)
        except FileNotFoundError:
            return None
        except ValidationError as fault:
            self._ignore(f"is not understood, {fault.error_count()} faults")
        except (OSError, ValueError) as fault:
            self._ignore(f"cannot be read ({fault})")
        return None

    def _ignore(self, why: str) -> None:
        log.warning(
            "%s %s: it is ignored, and replaced at the next change; what was set up at the sandbox "
            "is forgotten, `sluice connection apply` makes it again",
            self._path, why,
        )  # fmt: skip


def keeping(keeper: Keeper) -> Middleware:
    """A middleware that saves before a call that may have changed something is answered."""

    @web.middleware
    async def keep(request: web.Request, handler: Plain) -> web.StreamResponse:
        try:
            return await handler(request)
        finally:
            # Also when the answer is lost, as faults on demand have it.
            if request.method not in _LOOKING and not request.path.startswith(_NOT_KEPT):
                keeper.save()

    return keep


def _kept(sandbox: Sandbox, workspaces: Workspaces) -> Kept:
    plane = sandbox.plane
    return Kept(
        _VERSION,
        _ours(plane.connections),
        _ours(plane.sources),
        _ours(plane.targets),
        [flow for flow in plane.flows.values() if _is_ours(flow.document)],
        [each for each in plane.resources.values() if _is_ours(each.document)],
        _ours(plane.descriptors),
        _ours(plane.datasets),
        list(plane.mapping_sets.values()),
        _ours(plane.namespaces),
        workspaces.webhooks(),
    )


def _ours(table: dict[str, Document]) -> list[Document]:
    return [document for document in table.values() if _is_ours(document)]


def _is_ours(document: Document) -> bool:
    """Made by a call, or changed by one."""
    return not document.seeded or document.updated_ms != document.created_ms


def _restore(sandbox: Sandbox, kept: Kept) -> None:
    """Beside what was planted, or in its place."""
    plane = sandbox.plane
    for table, documents in (
        (plane.connections, kept.connections),
        (plane.sources, kept.sources),
        (plane.targets, kept.targets),
        (plane.descriptors, kept.descriptors),
        (plane.datasets, kept.datasets),
    ):
        _put(table, ((each.id, each, each) for each in documents))
    _put(plane.namespaces, ((each.id.casefold(), each, each) for each in kept.namespaces))
    _put(plane.resources, ((each.id, each, each.document) for each in kept.resources))
    plane.mapping_sets.update((versions[0].id, versions) for versions in kept.mapping_sets)
    for base in kept.connections:
        if not base.seeded:
            open_inlet(sandbox, base, base.body["auth"]["params"]["inletId"])
    for flow in kept.flows:
        if flow.document.seeded and (planted := plane.flows.get(flow.id)):
            # Its inlet is as the configuration says.
            plane.flows[flow.id] = replace(flow, inlet=planted.inlet)
        elif not flow.document.seeded:
            plane.flows[flow.id] = flow
            sandbox.inlets.add(flow.inlet)
    plane.revision += 1


def _put(table: dict[str, Any], entries: Iterable[tuple[str, Any, Document]]) -> None:
    """(key, what is kept, its document); what is no longer there from the start is left out."""
    for key, entry, document in entries:
        if not document.seeded or key in table:
            table[key] = entry
