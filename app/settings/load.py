"""Reads `connections/*.yaml`, and the two documents each may name. Finds every fault in one go."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from app.core.errors import ConfigError
from app.settings.connections import Connection, Schema
from app.settings.faults import close_match, lines_of
from app.settings.folders import MAPPINGS, SCHEMAS, Folders
from app.settings.secrets import Resolver

SOURCES_FILE: Final = "allowed_sources.yaml"

# Filled in by us: in a file they are as unknown as any other word.
_OURS: Final = ("mapping_path", "schema_path")


class _Loader(yaml.SafeLoader):
    """YAML in which a key that stands twice is an error rather than the last one winning."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Hashable, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in seen:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {key!r} stands twice", key_node.start_mark
            )
        seen.add(key)
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def load_connections(
    folders: Folders,
    environ: Mapping[str, str],
    *,
    secrets: bool = True,
    pointed: set[Path] | None = None,
) -> dict[str, Connection]:
    """Every connection by name. Raises ConfigError with all faults of all files.

    `secrets` False: they are neither read nor missed; for commands that need only the rest.
    `pointed` is filled with the secret files that were looked for, in any case.
    """
    paths = folders.files("connections")
    faults = [
        f"{path}: rename it to {path.stem}.yaml; .yml files are not read"
        for path in folders.files("connections", "*.yml")
    ]
    if not paths:
        folder = folders.config / "connections"
        faults.append(f"{folder}: no connection file; copy example.yaml from the project into it")
    faults += folders.twice("connections")
    presets = source_presets(folders.config, faults)
    connections: dict[str, Connection] = {}
    for path in paths:
        resolver = Resolver(environ, path.parent, wants_secrets=secrets)
        found = _load_one(path, folders.config, resolver, presets, faults)
        if pointed is not None:
            pointed |= resolver.pointed
        if found is not None:
            connections[found.name] = found
    if faults:
        raise ConfigError(faults)
    return connections


def _load_one(
    path: Path,
    config_dir: Path,
    resolver: Resolver,
    presets: Mapping[str, list[str]],
    faults: list[str],
) -> Connection | None:
    document = read_yaml(path, faults)
    if document is None:
        return None
    document = resolver.resolve(document)
    own = resolver.faults
    if document.setdefault("name", path.stem) != path.stem:
        own.append(f"name: is {document['name']!r}, but the file is {path.name}; make them equal")
    for word in _OURS:
        if document.pop(word, None) is not None:
            own.append(f"{word}: unknown key; leave it out")
    expand_sources(document, presets, own)
    _find_documents(document, config_dir, own)
    faults += [f"{path}: {fault}" for fault in own]
    try:
        return Connection(**document)
    except ValidationError as error:
        faults += lines_of(error, Connection, str(path))
        return None


def read_yaml(path: Path, faults: list[str]) -> dict[str, Any] | None:
    """Keys and values of a file, or None and a fault."""
    try:
        # A subclass of SafeLoader: only plain values come out.
        document = yaml.load(path.read_text(), _Loader)
    except OSError as fault:
        faults.append(f"{path}: cannot be read: {fault.strerror}")
        return None
    except Exception as fault:
        # Beside YAMLError the loader lets out what its constructors stumble over: a date without
        # such a day, a list as key, `!!int x`, a thousand brackets.
        faults.append(f"{path}: is no YAML: {' '.join(str(fault).split())}; mend it")
        return None
    if not isinstance(document, dict) or not all(isinstance(key, str) for key in document):
        faults.append(f"{path}: wanted keys and values, such as `tenant: acme`")
        return None
    return document


def source_presets(config_dir: Path, faults: list[str]) -> dict[str, list[str]]:
    """The names that may stand for networks."""
    path = config_dir / SOURCES_FILE
    if not path.exists():
        return {}
    return read_yaml(path, faults) or {}


def expand_sources(
    document: dict[str, Any], presets: Mapping[str, list[str]], faults: list[str]
) -> None:
    """Makes networks of the presets among a document's `allowed_sources`."""
    given = document.get("allowed_sources")
    if not isinstance(given, list):
        return
    networks: list[str] = []
    for at, item in enumerate(given):
        if isinstance(item, str) and item in presets:
            if isinstance(preset := presets[item], list):
                networks += preset
            else:
                faults.append(f"allowed_sources[{at}]: {SOURCES_FILE} has no list of them")
            continue
        try:
            networks.append(str(ip_network(item)))
        except ValueError:
            faults.append(
                f"allowed_sources[{at}]: {item!r} is neither a network such as 192.0.2.0/24 "
                f"nor a preset of {SOURCES_FILE}{close_match(str(item), presets)}"
            )
    document["allowed_sources"] = networks


def _find_documents(document: dict[str, Any], config_dir: Path, faults: list[str]) -> None:
    """Fills in where the mapping set and the schema lie that the connection names."""
    schema = _at(document, "platform", "schema", "document")
    if schema is None and _at(document, "platform", "mode") != "raw":
        schema = Schema.model_fields["document"].default
    for key, name, place, folder in (
        ("mapping_set", document.get("mapping_set"), "mapping_path", config_dir / MAPPINGS),
        ("platform.schema.document", schema, "schema_path", config_dir / SCHEMAS),
    ):
        if not isinstance(name, str) or not name:
            continue
        path = folder / f"{name}.json"
        if path.is_file():
            document[place] = path
        else:
            known = [each.stem for each in folder.glob("*.json")]
            faults.append(f"{key}: there is no {path}{close_match(name, known)}")


def _at(document: Any, *keys: str) -> Any:
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document
