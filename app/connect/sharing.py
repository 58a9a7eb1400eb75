"""Which other setups name the same dataset, schema or field group."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from app.connect import tutorial
from app.connect.run import Run
from app.connect.state import StateFile
from app.core.errors import SluiceError
from app.settings.load import read_yaml
from app.settings.setups import WantedDataset, WantedSchema

# What may be shared; an identity descriptor goes with its schema.
KINDS: Final = ("dataset", "schema", "field_group")

# (organization, sandbox, name)
_Place = tuple[str, str, str]


def sharers(run: Run) -> dict[str, tuple[str, ...]]:
    """Kind -> the other setups that name what this one has of it."""
    mine = _names(run.setup.written, run.state.like_tutorial)
    found: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for path in run.places.folders.files("setups"):
        if path == run.places.setup:
            continue
        theirs = _names_in(path, run.places.data_dir)
        for kind in KINDS:
            # What cannot be read may name it, too.
            if theirs is None or theirs[kind] == mine[kind]:
                found[kind].append(path.stem)
    return {kind: tuple(names) for kind, names in found.items()}


def _names_in(path: Path, data_dir: Path) -> dict[str, _Place] | None:
    faults: list[str] = []
    document = read_yaml(path, faults)
    if document is None or faults:
        return None
    try:
        applied = StateFile(data_dir, path.stem).state
    except SluiceError:
        return None
    return _names(document, applied.like_tutorial)


def _names(written: Mapping[str, Any], like_tutorial: str) -> dict[str, _Place]:
    """As an apply uses them, defaults filled in: a tutorial has titles of its own."""
    platform = _part(written, "platform")
    schema, dataset = _part(platform, "schema"), _part(platform, "dataset")
    schemas, datasets = WantedSchema.model_fields, WantedDataset.model_fields
    names = {
        "dataset": dataset.get("name", datasets["name"].default),
        "schema": schema.get("title", schemas["title"].default),
        "field_group": schema.get("field_group", schemas["field_group"].default),
    }
    if like_tutorial:
        names |= {"schema": tutorial.SCHEMA, "field_group": tutorial.FIELD_GROUP}
    where = str(platform.get("org_id")), str(platform.get("sandbox_name", "prod"))
    return {kind: (*where, str(name)) for kind, name in names.items()}


def _part(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = document.get(key)
    return found if isinstance(found, dict) else {}
