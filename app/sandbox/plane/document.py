"""One object of the control plane, with its times, its makers and its etag."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from app.sandbox.state import Sandbox


@dataclass(slots=True)
class Document:
    """`body`: what its maker said, and what Platform added. Times: Unix milliseconds.

    `seeded`: was there from the start, behind an inlet of the sandbox's configuration.
    """

    id: str
    body: dict[str, Any]
    created_ms: int
    updated_ms: int
    etag: str
    created_by: str
    updated_by: str
    seeded: bool = False

    @classmethod
    def new(
        cls, sandbox: Sandbox, id: str, body: dict[str, Any], client: str, *, seeded: bool = False
    ) -> Document:
        now = int(sandbox.clock() * 1000)
        return cls(id, body, now, now, sandbox.mint.etag(), client, client, seeded)

    def change(self, sandbox: Sandbox, body: dict[str, Any], client: str) -> None:
        """Take a new body; the etag is another one after it (section 7, point 9)."""
        self.body = body
        self.touch(sandbox, client)

    def touch(self, sandbox: Sandbox, client: str) -> None:
        """A new etag and time of change."""
        self.updated_ms = int(sandbox.clock() * 1000)
        self.updated_by = client
        self.etag = sandbox.mint.etag()


def named(documents: Iterable[Document]) -> list[dict[str, Any]]:
    """Ids and names, as the sandbox's own list of what exists shows them."""
    return [
        {
            "id": document.id,
            "name": document.body.get("name") or document.body.get("title"),
            "seeded": document.seeded,
        }
        for document in documents
    ]
