"""Adobe's media types, `application/vnd.adobe.xed-full+json;version=1`. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final, Self

_FORM: Final = re.compile(
    r"application/vnd\.adobe\.((?:xed|xdm)[a-z0-9-]*)\+json(?:\s*;\s*version=(\d+(?:\.\d+)?))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Media:
    """`form`: xed, xed-full, xdm-link and so on; `version` "": none was named."""

    form: str
    version: str

    @classmethod
    def parse(cls, text: Any) -> Self | None:
        """None: it is none of Adobe's."""
        found = _FORM.fullmatch(text.strip()) if isinstance(text, str) else None
        return cls(found[1], found[2] or "") if found is not None else None

    @property
    def major(self) -> str:
        """`1` for 1 and for 1.0, which pages write by turns (section 2.3)."""
        return self.version.partition(".")[0]


def same_schema(one: Any, other: Any, *, key: str = "contentType") -> bool:
    """Whether two references name one schema in one version (1425-400)."""
    if not isinstance(one, dict) or not isinstance(other, dict) or one.get("id") != other.get("id"):
        return False
    first, second = Media.parse(one.get("contentType")), Media.parse(other.get(key))
    return first is not None and second is not None and first.major == second.major
