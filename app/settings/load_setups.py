"""Reads `setups/*.yaml`. Every fault of a file in one go, as with connections."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from app.core.errors import ConfigError
from app.settings.faults import close_match, lines_of
from app.settings.folders import MAPPINGS, SCHEMAS, Folders
from app.settings.load import expand_sources, read_yaml, source_presets
from app.settings.secrets import Resolver
from app.settings.setups import Setup


def setup_names(folders: Folders) -> list[str]:
    """The setups that there are."""
    return list(dict.fromkeys(path.stem for path in folders.files("setups")))


def load_setup(folders: Folders, name: str, environ: Mapping[str, str]) -> Setup:
    """The setup of that name. Raises ConfigError with all that is wrong with it."""
    path = folders.file("setups", name)
    if not path.is_file():
        hint = close_match(name, setup_names(folders))
        made = "; `sluice connect` makes one" if not hint else ""
        raise ConfigError([f"there is no {path}{hint}{made}"])
    if faults := folders.twice("setups", name):
        raise ConfigError(faults)
    return read_setup(path, folders.config, environ)


def read_setup(path: Path, config_dir: Path, environ: Mapping[str, str]) -> Setup:
    """The setup in that file, wherever it lies. Raises ConfigError."""
    faults: list[str] = []
    written = read_yaml(path, faults)
    if written is None:
        raise ConfigError(faults)
    return parse_setup(written, path, config_dir, environ)


def parse_setup(
    written: Mapping[str, Any], path: Path, config_dir: Path, environ: Mapping[str, str]
) -> Setup:
    """The setup that a document makes. `path`: where it lies, or would. Raises ConfigError."""
    faults: list[str] = []
    resolver = Resolver(environ, path.parent)
    document = resolver.resolve(copy.deepcopy(dict(written)))
    if document.setdefault("name", path.stem) != path.stem:
        resolver.faults.append(
            f"name: is {document['name']!r}, but the file is {path.name}; make them equal"
        )
    if document.pop("written", None) is not None:
        resolver.faults.append("written: unknown key; leave it out")
    expand_sources(document, source_presets(config_dir, faults), resolver.faults)
    _documents_there(document, config_dir, resolver.faults)
    faults += [f"{path}: {fault}" for fault in resolver.faults]
    try:
        setup = Setup(**document, written=written)
    except ValidationError as error:
        faults += lines_of(error, Setup, str(path))
    if faults:
        raise ConfigError(faults)
    return setup


def _documents_there(document: Mapping[str, object], config_dir: Path, faults: list[str]) -> None:
    """The two files that a setup may name, or takes by default, must be there."""
    platform = document.get("platform")
    schema = platform.get("schema") if isinstance(platform, dict) else None
    named = schema.get("document") if isinstance(schema, dict) else None
    for key, given, default, folder in (
        ("mapping_set", document.get("mapping_set"), "customerio-default", config_dir / MAPPINGS),
        ("platform.schema.document", named, "customerio-events", config_dir / SCHEMAS),
    ):
        name = default if given is None else given
        if isinstance(name, str) and not (path := folder / f"{name}.json").is_file():
            known = [each.stem for each in folder.glob("*.json")]
            faults.append(f"{key}: there is no {path}{close_match(name, known)}")
