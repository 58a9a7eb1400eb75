"""The connections, as far as they can be read: for commands that show something in any case."""

from __future__ import annotations

from app.core.errors import ConfigError
from app.settings import Connection, environment, load_settings
from app.settings.load import load_connections


def configured() -> dict[str, Connection]:
    """The connections as far as they can be read: a ledger is shown in any case."""
    environ = environment()
    try:
        settings = load_settings(environ)
        return load_connections(settings.config_dir, environ, secrets=False)
    except ConfigError:
        return {}
