"""What may change once a dataset uses a schema: only additions (platform.md section 5.1). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from app.sandbox.registry.compose import places

# What makes fewer values valid when it is added or changed.
_NARROWING: Final = ("pattern", "format", "enum", "minLength", "maxLength", "minimum", "maximum")


def breaks(before: Mapping[str, Any], after: Mapping[str, Any]) -> str | None:
    """What of `after` is no mere addition to `before`, or None. Both with everything resolved."""
    there = dict(places(after))
    for path, old in places(before):
        new = there.get(path)
        if new is None:
            return f"the field {path} was removed or renamed"
        if old.get("meta:xdmType") != new.get("meta:xdmType"):
            return f"the type of {path} was changed"
        if fault := _narrowed(old, new):
            return f"{path}: {fault}"
        if added := _newly_required(old, new):
            return f"{path}/{added} became required"
    if added := _newly_required(before, after):
        return f"/{added} became required"
    return None


def _narrowed(old: Mapping[str, Any], new: Mapping[str, Any]) -> str | None:
    for key in _NARROWING:
        if old.get(key) == new.get(key) or key not in new:
            continue
        if not _widened(key, old.get(key), new[key]):
            return f"{key} was narrowed"
    return None


def _widened(key: str, old: Any, new: Any) -> bool:
    if old is None:
        return False
    if key == "enum":
        return set(old) <= set(new)
    if key.startswith("min"):
        return bool(new <= old)
    return bool(new >= old) if key.startswith("max") else False


def _newly_required(old: Mapping[str, Any], new: Mapping[str, Any]) -> str | None:
    """Also a field that is new: messages that were valid would fail (section 7, point 7)."""
    added = set(new.get("required", [])) - set(old.get("required", []))
    return min(added) if added else None
