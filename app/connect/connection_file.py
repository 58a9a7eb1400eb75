"""`config/connections/NAME.yaml`, written from a setup and what Platform gave.

A file that a person wrote is never overwritten: ours begin with HEADER.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from app.connect.plan import Difference
from app.connect.state import sync_folder
from app.core.errors import SluiceError
from app.core.json_diff import patch_between
from app.settings.setups import Setup

HEADER: Final = "# written by sluice connection apply"
_NOTE: Final = "; change config/setups/{name}.yaml and apply it again, edits here are lost.\n"

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
    """What a file of ours says otherwise; None when there is none. Raises SluiceError when it
    cannot be read, and PermissionError's likes as such."""
    try:
        found = yaml.safe_load(path.read_text())
    except FileNotFoundError:
        return None
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as fault:
        raise SluiceError(f"{path} cannot be read: {' '.join(str(fault).split())}") from None
    before = found if isinstance(found, dict) else {}
    return tuple(
        Difference(
            change["path"].strip("/").replace("/", "."),
            _shown(_at(before, change["path"])),
            _shown(change.get("value", "")),
        )
        for change in patch_between(before, dict(wanted))
    )


def is_ours(path: Path) -> bool:
    """Whether we wrote the file, or there is none."""
    try:
        with path.open() as file:
            return file.readline().startswith(HEADER)
    except FileNotFoundError:
        return True


def write(path: Path, document: Mapping[str, Any], name: str) -> None:
    """Replaces the file whole; on disk when this returns. Raises SluiceError."""
    text = HEADER + _NOTE.format(name=name)
    text += yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True)
    # Not NAME.yaml.new: what ends in .yaml would be read as a connection.
    beside = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        sync_folder(path.parent)
    except OSError as fault:
        raise SluiceError(f"{path} cannot be written: {fault.strerror}") from None


def named_keys(path: Path) -> list[Path]:
    """The files of signing keys that a file of ours names, as far as it can be read."""
    try:
        document = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError, UnicodeDecodeError):
        return []
    named = document.get("signing_keys") if isinstance(document, dict) else None
    return [
        Path(each["file"])
        for each in (named if isinstance(named, list) else [])
        if isinstance(each, dict) and isinstance(each.get("file"), str)
    ]


def name_keys(path: Path, signing_keys: Sequence[Path], name: str) -> None:
    """Has a file of ours name just these files of signing keys. Raises SluiceError."""
    try:
        document = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as fault:
        raise SluiceError(f"{path} cannot be read: {' '.join(str(fault).split())}") from None
    wanted = _pointing(signing_keys)
    if isinstance(document, dict) and document.get("signing_keys") != wanted:
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


def _shown(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else str(value)
