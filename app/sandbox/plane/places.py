"""Whether a mapping's destination exists in its schema. Pure."""

from __future__ import annotations

import re
from typing import Any, Final

# A name, in which a backslash stands before a dot (platform.md section 4.2), or an array's place.
_STEP: Final = re.compile(r"(?:\\.|[^.\[\]\\])+|\[[^\]]*\]")


def missing_place(schema: dict[str, Any], path: str) -> bool:
    """Whether nothing of `schema`, with everything resolved, is at `path` (`a.b[0].c`)."""
    here: Any = schema
    for step in _STEP.findall(path):
        if not isinstance(here, dict) or not (here.keys() & {"properties", "items", "type"}):
            return False
        here = _below(here, step)
        if here is None:
            return True
    return False


def _below(field: dict[str, Any], step: str) -> Any:
    if step.startswith("["):
        return field.get("items") if field.get("type") == "array" else None
    name = step.replace("\\.", ".").strip("'")
    listed = field.get("properties")
    if isinstance(listed, dict):
        return listed.get(name)
    values = field.get("additionalProperties")
    if isinstance(values, dict):
        return values
    # An object that lists nothing takes anything.
    return {} if field.get("type") == "object" else None
