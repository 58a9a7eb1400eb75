"""Settings and connections: the only readers of the environment and of the config files.

    settings     Settings, `SLUICE_*`; `parts` has its fields by part of the system
    reading      an environment -> Settings
    connections  Connection and its parts
    load         connections/*.yaml -> Connection
    watching     whether these files changed, and may be taken up
    handing      connections as bytes, from a process to its children
    secrets      environment variables and files that a connection points at
    addresses    where commands reach the parts
    folders      where configuration lies
    home         where files lie by default; the running `sluice up`
    faults       how a fault is said

What others call: `environment()` once in each composition root, then `load_settings` and
`load_connections` with what it gave, or `load_all` for both with all faults together.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from app.core.errors import ConfigError
from app.settings.connections import (
    Connection,
    Credentials,
    IdentityNamespaces,
    Limits,
    Platform,
    Reconcile,
    Schema,
)
from app.settings.folders import Folders
from app.settings.home import default_config_dir, default_data_dir, running
from app.settings.load import load_connections
from app.settings.reading import load_settings
from app.settings.settings import PREFIX, Settings

__all__ = [
    "Connection",
    "Credentials",
    "Folders",
    "IdentityNamespaces",
    "Limits",
    "Platform",
    "Reconcile",
    "Schema",
    "Settings",
    "environment",
    "load_all",
    "load_connections",
    "load_settings",
    "running",
]


def environment(*, find_running: bool = True) -> dict[str, str]:
    """This process's environment, filled up with what a live `sluice up` says about itself."""
    environ = dict(os.environ)
    if not find_running:
        return environ
    data_dir = Path(environ.get(f"{PREFIX}DATA_DIR") or default_data_dir())
    if found := running(data_dir):
        return {**found.get("environment", {}), **environ}
    return environ


def load_all(environ: Mapping[str, str]) -> tuple[Settings, dict[str, Connection]]:
    """Settings and connections. Raises ConfigError with the faults of both."""
    faults: list[str] = []
    settings: Settings | None = None
    connections: dict[str, Connection] = {}
    try:
        settings = load_settings(environ)
    except ConfigError as error:
        faults += error.faults
    try:
        connections = load_connections(settings.folders if settings else _folders(environ), environ)
    except ConfigError as error:
        faults += error.faults
    if faults or settings is None:
        raise ConfigError(faults)
    return settings, connections


def _folders(environ: Mapping[str, str]) -> Folders:
    """Those of settings that are wrong elsewhere."""
    generated = environ.get(f"{PREFIX}GENERATED_DIR")
    return Folders(
        Path(environ.get(f"{PREFIX}CONFIG_DIR") or default_config_dir()),
        Path(generated) if generated else None,
    )
