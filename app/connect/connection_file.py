"""`config/connections/NAME.yaml`, written from a setup and what Platform gave.

A file that a person wrote is never overwritten: ours begin with HEADER.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
import yaml

from app.connect.inlet_address import shortened
from app.connect.plan import Difference, fresh
from app.connect.state import write_private
from app.core.errors import SluiceError
from app.core.json_diff import patch_between
from app.settings.setups import Setup

HEADER: Final = "# written by sluice connection apply"
_NOTE: Final = "; change config/setups/{name}.yaml and apply it again, edits here are lost.\n"

# The inlet's address.
_INLET: Final = "platform.url"

# Of the setup, as they are.
_COPIED: Final = (
    "replay_window_seconds", "body_limit_bytes", "allowed_sources", "identity_namespaces", "limits",
    "reconcile",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Given:
    """What only Platform knows."""

    tenant: str
    inlet_url: str
    flow_id: str
    dataset_id: str
    schema_id: str
    content_type: str


def connection_document(
    setup: Setup, given: Given, signing_keys: Sequence[Path], folder: Path, setups: Path
) -> dict[str, Any]:
    """The connection's keys. `signing_keys`: their files; `folder`: where its file lies; `setups`:
    where the setup's does, from which its own `{file: path}` count."""
    written = setup.written
    platform: Mapping[str, Any] = written.get("platform", {})
    document: dict[str, Any] = {
        "name": setup.name,
        "signing_keys": _pointing(signing_keys),
        "mapping_set": setup.mapping_set,
        "tenant": given.tenant,
        **{key: written[key] for key in _COPIED if key in written},
        "platform": {
            "url": given.inlet_url,
            "mode": setup.mode,
            "authenticated": setup.platform.source.wants_token,
            "flow_id": given.flow_id,
            "dataset_id": given.dataset_id,
            "schema": {
                "id": given.schema_id,
                "content_type": given.content_type,
                "document": setup.platform.schema_.document,
            },
            **{
                key: platform[key]
                for key in ("org_id", "sandbox_name", "api_url", "credentials")
                if key in platform
            },
        },
    }
    made: dict[str, Any] = moved(document, setups.resolve(), folder.resolve())
    return made


def differences(path: Path, wanted: Mapping[str, Any]) -> tuple[Difference, ...] | None:
    """What a file of ours says otherwise, an inlet's address shortened; None when there is none.

    Raises SluiceError when it cannot be read.
    """
    before = _read(path)
    if before is None:
        return None
    return tuple(
        each
        for change in patch_between(before, dict(wanted))
        for each in _told(change["path"], _at(before, change["path"]), change.get("value"))
    )


def _read(path: Path) -> dict[str, Any] | None:
    """What a file of ours says; None when there is none. Raises SluiceError."""
    try:
        # Through JSON: keys become texts, and so do dates.
        written = orjson.dumps(
            yaml.safe_load(path.read_text()), default=str, option=orjson.OPT_NON_STR_KEYS
        )
        found = orjson.loads(written)
    except FileNotFoundError:
        return None
    except Exception as fault:
        # As in app.settings.load: what YAML's constructors stumble over is of any class.
        raise _unreadable(path, fault) from None
    return found if isinstance(found, dict) else {}


def contents(document: Mapping[str, Any]) -> tuple[Difference, ...]:
    """All that a new file will have, an inlet's address shortened."""
    return fresh(*((path, _shown(path, value)) for path, value in _leaves("", document)))


def is_ours(path: Path) -> bool:
    """Whether we wrote the file, or there is none. Raises SluiceError when it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.readline().startswith(HEADER.encode())
    except FileNotFoundError:
        return True
    except OSError as fault:
        raise _unreadable(path, fault) from None


def write(path: Path, document: Mapping[str, Any], name: str) -> None:
    """Replaces the file whole; on disk when this returns. Raises SluiceError.

    For its owner only, as the signing key beside it: whoever has the address of an open inlet can
    post to it (platform.md section 1.7).
    """
    text = HEADER + _NOTE.format(name=name)
    text += yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True)
    write_private(path, text.encode())


def named_keys(path: Path) -> list[Path]:
    """The files of signing keys that a file of ours names, as far as it can be read."""
    try:
        named = (_read(path) or {}).get("signing_keys")
    except SluiceError:
        return []
    return [
        Path(each["file"])
        for each in (named if isinstance(named, list) else [])
        if isinstance(each, dict) and isinstance(each.get("file"), str)
    ]


def name_keys(path: Path, signing_keys: Sequence[Path], name: str) -> None:
    """Has a file of ours name just these files of signing keys. Raises SluiceError."""
    document, wanted = _read(path), _pointing(signing_keys)
    if document and document.get("signing_keys") != wanted:
        write(path, document | {"signing_keys": wanted}, name)


def _pointing(files: Sequence[Path]) -> list[dict[str, str]]:
    return [{"file": str(path.resolve())} for path in files]


def moved(node: Any, source: Path, target: Path) -> Any:
    """A document with each `{file: path}` as seen from another folder."""
    if isinstance(node, dict):
        if set(node) == {"file"} and isinstance(node["file"], str):
            path = source / node["file"]
            absolute = Path(node["file"]).is_absolute()
            return {"file": str(path) if absolute else os.path.relpath(path, target)}
        return {key: moved(value, source, target) for key, value in node.items()}
    if isinstance(node, list):
        return [moved(value, source, target) for value in node]
    return node


def _at(document: Any, pointer: str) -> Any:
    for part in pointer.split("/")[1:]:
        if isinstance(document, list):
            document = document[int(part)] if part.isdigit() and int(part) < len(document) else None
        else:
            document = document.get(part) if isinstance(document, dict) else None
    return document


def _told(pointer: str, before: Any, wanted: Any) -> Iterator[Difference]:
    """One for each value that differs below a place."""
    path = pointer.strip("/").replace("/", ".")
    have, want = dict(_leaves(path, before)), dict(_leaves(path, wanted))
    for each in dict.fromkeys((*have, *want)):
        # Not by what is shown: two inlets may look alike.
        if repr(have.get(each)) != repr(want.get(each)):
            yield Difference(each, _shown(each, have.get(each)), _shown(each, want.get(each)))


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """(path, value) of all in a document that has nothing below it; what is null is not there."""
    if value and isinstance(value, Mapping | list):
        pairs = enumerate(value) if isinstance(value, list) else value.items()
        for key, each in pairs:
            yield from _leaves(f"{path}.{key}" if path else str(key), each)
    elif value is not None:
        yield path, value


def _shown(path: str, value: Any) -> str:
    text = "" if value is None else str(value)
    return shortened(text) if path == _INLET and "://" in text else text


def _unreadable(path: Path, fault: Exception) -> SluiceError:
    why = fault.strerror if isinstance(fault, OSError) else " ".join(str(fault).split())
    return SluiceError(f"{path} cannot be read: {why}; move it away, and it is written anew")
