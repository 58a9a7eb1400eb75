"""JSON Patch (RFC 6902): all six operations, on parsed JSON. What it is given stays as it is."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Final

from app.core.errors import PatchInvalid

_NEEDS: Final = {
    "add": ("path", "value"),
    "remove": ("path",),
    "replace": ("path", "value"),
    "move": ("path", "from"),
    "copy": ("path", "from"),
    "test": ("path", "value"),
}
OPERATIONS_MAX: Final = 1_000


def apply_patch(document: Any, patch: Any) -> Any:
    """The patched document. Raises PatchInvalid naming the operation and what is wrong with it."""
    if not isinstance(patch, list) or len(patch) > OPERATIONS_MAX:
        raise PatchInvalid(f"a patch is a list of at most {OPERATIONS_MAX} operations (RFC 6902)")
    try:
        patched = deepcopy(document)
    except RecursionError:
        raise PatchInvalid("the document is nested too deeply") from None
    for at, operation in enumerate(patch, 1):
        try:
            patched = _apply(patched, operation)
        except PatchInvalid as fault:
            raise PatchInvalid(f"operation {at}: {fault}") from None
    return patched


def _apply(document: Any, operation: Any) -> Any:
    if not isinstance(operation, dict):
        raise PatchInvalid("it is no object")
    name = operation.get("op")
    needs = _NEEDS.get(name) if isinstance(name, str) else None
    if needs is None:
        raise PatchInvalid(f"op is not one of {', '.join(_NEEDS)}")
    for key in needs:
        if key not in operation:
            raise PatchInvalid(f"{key} is absent")
    path = _tokens(operation["path"])
    match name:
        case "add":
            return _add(document, path, deepcopy(operation["value"]))
        case "remove":
            return _remove(document, path)
        case "replace":
            return _replace(document, path, deepcopy(operation["value"]))
        case "test":
            if not _same(_get(document, path), operation["value"]):
                raise PatchInvalid(f"{operation['path'] or 'the whole'} has another value")
            return document
    return _transfer(document, path, _tokens(operation["from"]), moves=name == "move")


def _transfer(document: Any, path: list[str], source: list[str], *, moves: bool) -> Any:
    value = deepcopy(_get(document, source))
    if not moves:
        return _add(document, path, value)
    if path[: len(source)] == source and len(path) > len(source):
        raise PatchInvalid("a value cannot be moved into itself")
    return _add(_remove(document, source), path, value)


def _tokens(pointer: Any) -> list[str]:
    """JSON Pointer (RFC 6901)."""
    if not isinstance(pointer, str) or (pointer and not pointer.startswith("/")):
        raise PatchInvalid("a path is a text that begins with /")
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def _get(document: Any, path: list[str]) -> Any:
    here = document
    for depth, token in enumerate(path, 1):
        if isinstance(here, dict) and token in here:
            here = here[token]
        elif isinstance(here, list):
            here = here[_index(token, len(here) - 1)]
        else:
            raise PatchInvalid(f"/{'/'.join(path[:depth])} does not exist")
    return here


def _add(document: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    parent, last = _get(document, path[:-1]), path[-1]
    if isinstance(parent, dict):
        parent[last] = value
    elif isinstance(parent, list):
        parent.insert(len(parent) if last == "-" else _index(last, len(parent)), value)
    else:
        raise PatchInvalid(f"/{'/'.join(path[:-1])} is neither object nor list")
    return document


def _replace(document: Any, path: list[str], value: Any) -> Any:
    _get(document, path)
    if not path:
        return value
    parent, last = _get(document, path[:-1]), path[-1]
    parent[last if isinstance(parent, dict) else int(last)] = value
    return document


def _remove(document: Any, path: list[str]) -> Any:
    if not path:
        return None
    _get(document, path)
    parent, last = _get(document, path[:-1]), path[-1]
    del parent[last if isinstance(parent, dict) else int(last)]
    return document


def _index(token: str, most: int) -> int:
    if not (token.isascii() and token.isdigit()) or (len(token) > 1 and token[0] == "0"):
        raise PatchInvalid(f"{token[:20]!r} is no position in a list")
    if len(token) > 9 or int(token) > most:
        raise PatchInvalid(f"the list has no position {token[:20]}")
    return int(token)


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON: Python takes true for 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)
