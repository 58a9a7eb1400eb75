"""Identity namespaces: list and create (platform.md section 5.2)."""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

from app.adobe.platform_client import PlatformClient
from app.adobe.reading import at, count, text
from app.core.errors import PlatformUnreadable

PATH: Final = "/data/core/idnamespace/identities"

IdType = Literal["Cookie", "Cross_device", "Device", "Email", "Mobile", "Non_people", "Phone"]


class Namespace(NamedTuple):
    """`code`: unique, and never to be changed; `id_type`: as Platform spells it; `custom`: the
    organization's own."""

    id: int
    code: str
    name: str
    id_type: str
    custom: bool


class Namespaces:
    """Raises what PlatformClient raises."""

    def __init__(self, client: PlatformClient) -> None:
        self._client = client

    async def all(self) -> list[Namespace]:
        """Adobe's and the organization's own."""
        found = await self._client.get(PATH)
        if not isinstance(found, list):
            raise PlatformUnreadable(f"GET {PATH}", "the answer is no list of namespaces")
        return [_namespace(item) for item in found]

    async def coded(self, code: str) -> Namespace | None:
        """The one of a code, however it is spelled; None = there is none."""
        found = await self.all()
        return next((each for each in found if each.code.lower() == code.lower()), None)

    async def create(
        self, name: str, code: str, id_type: IdType, description: str = ""
    ) -> Namespace:
        """Raises PlatformTaken when the code is in use. There is no way to delete one."""
        body = {"name": name, "code": code, "idType": id_type}
        if description:
            body["description"] = description
        reply = await self._client.call("POST", PATH, body=body)
        made = _namespace(reply.document)
        return made if made.code else Namespace(made.id, code, name, id_type, True)


def _namespace(item: Any) -> Namespace:
    return Namespace(
        count(at(item, "id")) or 0,
        text(at(item, "code")),
        text(at(item, "name")),
        text(at(item, "idType")),
        at(item, "custom") is True,
    )
