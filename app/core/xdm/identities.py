"""The rules of `identityMap` that no schema tells (platform.md sections 2.7, 2.8).

What breaks them is skipped by Identity Service or never reaches Profile, without a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from app.core.dataprep.values import kind_of
from app.core.xdm.violation import Violation, pointer

# Identities in one record (help/identity-service/guardrails.md).
MAX_IDENTITIES: Final = 20
MAX_IDENTITY_CHARACTERS: Final = 1_024

# Identity Service takes none of these for a person. Its examples of blanks are short; judgement: up
# to eight.
_NOBODY: Final = ("null", "anonymous", "invalid", *(" " * count for count in range(1, 9)))

ECID: Final = "^[0-9]{38}$"
_ECID: Final = re.compile(r"[0-9]{38}")

# The rules for one id, as a schema.
ID_RULES: Final[Mapping[str, Any]] = MappingProxyType(
    {"maxLength": MAX_IDENTITY_CHARACTERS, "not": {"enum": list(_NOBODY)}}
)


def identity_violations(identity_map: Any) -> Iterator[Violation]:
    """All that is wrong. What is no map of lists of objects is the schema's business."""
    if not isinstance(identity_map, dict):
        return
    count = primaries = 0
    for namespace, identities in identity_map.items():
        for index, identity in enumerate(identities if isinstance(identities, list) else ()):
            if isinstance(identity, dict):
                count += 1
                primaries += identity.get("primary") is True
                yield from _wrong_value(namespace, index, identity)
    if count > MAX_IDENTITIES:
        yield _rule("/identityMap", f"at most {MAX_IDENTITIES} identities", f"{count} of them")
    # Judgement, from section 2.8: without a primary one the record does not reach Profile, and
    # of two nobody says which one counts.
    if count and primaries != 1:
        yield _rule("/identityMap", "exactly one primary identity", f"{primaries} of them")


def _wrong_value(namespace: str, index: int, identity: dict[str, Any]) -> Iterator[Violation]:
    path = pointer(["identityMap", namespace, index, "id"])
    if "id" not in identity:
        yield _rule(path, "a person's id", "nothing")
        return
    value = identity["id"]
    if not isinstance(value, str):
        return
    if namespace == "ECID" and not _ECID.fullmatch(value):
        yield _rule(path, "38 digits, as an ECID is", kind_of(value))
    elif value in _NOBODY:
        yield _rule(path, "a person's id, not null, anonymous, invalid or blanks", kind_of(value))
    elif len(value) > MAX_IDENTITY_CHARACTERS:
        wanted = f"at most {MAX_IDENTITY_CHARACTERS} characters"
        yield _rule(path, wanted, f"{kind_of(value)} of {len(value)}")


def _rule(path: str, wanted: str, found: str) -> Violation:
    return Violation(path, "identity", f"expected {wanted}, found {found}", wanted, found)
