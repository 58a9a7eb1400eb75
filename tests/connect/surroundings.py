"""What tests of `app.connect` stand on: a config folder of their own, and a setup in it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import yaml

from app.settings.folders import Folders
from app.settings.load_setups import load_setup
from app.settings.setups import Setup

ROOT = Path(__file__).parents[2]
ENVIRON = {"CIO_KEY": "app-api-key", "CLIENT_SECRET": "sandbox-secret"}


def config_folder(folder: Path) -> Path:
    """The project's mapping sets and schemas, and no connection."""
    config = folder / "config"
    (config / "connections").mkdir(parents=True)
    (config / "setups").mkdir()
    for name in ("mappings", "schemas"):
        shutil.copytree(ROOT / "config" / name, config / name)
    shutil.copy(ROOT / "config" / "allowed_sources.yaml", config)
    return config


def tiny_documents(config: Path) -> None:
    """A mapping set and a schema, `tiny`, that compile in no time."""
    own = {"type": "object", "meta:xdmType": "object", "additionalProperties": False}
    text = {"type": "string", "meta:xdmType": "string"}
    customerio = {**own, "properties": {"metric": text, "id": text}}
    schema = {
        "$id": "https://ns.adobe.com/{TENANT}/schemas/tiny",
        "title": "Tiny",
        "type": "object",
        "meta:class": "https://ns.adobe.com/xdm/context/experienceevent",
        "meta:extends": ["https://ns.adobe.com/xdm/context/experienceevent"],
        "properties": {
            "_id": {**text, "format": "uri-reference"},
            "timestamp": {**text, "format": "date-time", "meta:xdmType": "date-time"},
            "_{TENANT}": {**own, "properties": {"customerio": customerio}},
        },
        "required": ["_id", "timestamp"],
        "additionalProperties": False,
    }
    time = "dformat(timestamp * 1000, \"yyyy-MM-dd'T'HH:mm:ss.SSSX\")"
    rows = [
        ("ATTRIBUTE", "event_id", "_id"),
        ("EXPRESSION", time, "timestamp"),
        ("ATTRIBUTE", "metric", "_{TENANT}.customerio.metric"),
        ("ATTRIBUTE", "data.identifiers.id", "_{TENANT}.customerio.id"),
    ]
    mapping = {
        "name": "tiny",
        "version": 1,
        "outputSchema": {"schemaRef": {"id": schema["$id"]}},
        "mappings": [
            {"sourceType": kind, "source": source, "destination": destination}
            for kind, source, destination in rows
        ],
    }
    (config / "schemas" / "tiny.json").write_text(json.dumps(schema))
    (config / "mappings" / "tiny.json").write_text(json.dumps(mapping))


def setup_keys(**changes: Any) -> dict[str, Any]:
    """The shortest setup; `platform__dataset={...}` replaces what lies there."""
    document: dict[str, Any] = {
        "platform": {
            "org_id": "SANDBOX@AdobeOrg",
            "credentials": {
                "client_id": "sandbox-client",
                "client_secrets": [{"env": "CLIENT_SECRET"}],
            },
        },
        "customerio": {"api_key": {"env": "CIO_KEY"}, "public_url": "https://hooks.example.com"},
    }
    for key, value in changes.items():
        put(document, key.split("__"), value)
    return document


def put(document: dict[str, Any], keys: list[str], value: Any) -> None:
    for key in keys[:-1]:
        document = document.setdefault(key, {})
    document[keys[-1]] = value


def write_keys(config: Path, document: dict[str, Any], name: str = "acme") -> Path:
    path = config / "setups" / f"{name}.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


def a_setup(config: Path, **changes: Any) -> Setup:
    write_keys(config, setup_keys(**changes))
    return load_setup(Folders(config), "acme", ENVIRON)
