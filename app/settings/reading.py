"""From an environment to `Settings`, with every fault said at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import ValidationError
from pydantic_settings import EnvSettingsSource

from app.core.errors import ConfigError
from app.settings.faults import close_match, lines_of
from app.settings.oidc import oidc_faults
from app.settings.secrets import read_secret
from app.settings.settings import PREFIX, Settings

# Kubernetes describes every service to every container: a service called `sluice` or
# `sluice-receiver` would otherwise look like settings of ours.
_FROM_KUBERNETES: Final = re.compile(
    r"SLUICE_(?:\w+_)?(?:SERVICE_(?:HOST|PORT)\w*|PORT_\d+_(?:TCP|UDP)\w*)|SLUICE_PORT"
)

# Settings that may hold a secret: each may come from the file that `{name}_FILE` names.
_SECRETS: Final = ("REDIS_URL", "REDIS_PASSWORD", "REDIS_SENTINEL_PASSWORD", "API_TOKEN",
                   "OIDC_CLIENT_SECRET")  # fmt: skip


class _Given(EnvSettingsSource):
    """Reads the mapping it is given instead of this process's environment."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(Settings)
        self.env_vars = {name.lower(): value for name, value in environ.items()}


def load_settings(environ: Mapping[str, str]) -> Settings:
    """The settings in `environ`. Raises ConfigError with every fault, unknown names included."""
    ours = _ours(environ)
    faults: list[str] = []
    for name in _SECRETS:
        _read_file(f"{PREFIX}{name}", ours, faults)
    known = {f"{PREFIX}{field.upper()}" for field in Settings.model_fields}
    for name in sorted(ours.keys() - known):
        faults.append(f"environment: {name}: unknown setting{close_match(name, known)}")
    try:
        settings = Settings(**_Given({n: v for n, v in ours.items() if n in known})())
    except ValidationError as error:
        faults += [
            re.sub(r"^environment: (\w+)", lambda m: f"environment: {PREFIX}{m[1].upper()}", line)
            for line in lines_of(error, Settings, "environment")
        ]
    if faults:
        raise ConfigError(faults)
    # What is wrong with several together, or with the files that they name.
    if faults := [*settings.redis_faults(), *oidc_faults(settings)]:
        raise ConfigError([f"environment: {fault}" for fault in faults])
    return settings


def _ours(environ: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in environ.items()
        if name.startswith(PREFIX)
        and not _FROM_KUBERNETES.fullmatch(name)
        and not value.startswith("tcp://")
    }


def _read_file(name: str, ours: dict[str, str], faults: list[str]) -> None:
    """`{name}_FILE`: what may be a secret may come as a file."""
    path = ours.pop(f"{name}_FILE", None)
    if path is None:
        return
    try:
        ours.setdefault(name, read_secret(Path(path)).decode())
    except (OSError, UnicodeDecodeError) as fault:
        faults.append(f"environment: {name}_FILE: cannot read {path}: {fault}")
