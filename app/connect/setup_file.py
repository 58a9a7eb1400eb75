"""`config/setups/NAME.yaml`, written from the answers of a wizard; secrets beside, not in it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from app.connect.connection_file import moved
from app.connect.questions import Answers, setup_document
from app.connect.state import write_private
from app.core.errors import ConfigError, SluiceError
from app.settings.folders import Folders
from app.settings.load import read_yaml
from app.settings.load_setups import parse_setup

_HEADER: Final = """\
# What is wanted at both ends of the connection: `sluice connection plan {name}` shows what is to be
# done, `sluice connection apply {name}` does it. README.md has all keys.
"""
SECRET_FILES: Final = {
    "platform.credentials.client_secret": "client-secret",
    "customerio.api_key": "app-api-key",
}


def check_answers(folders: Folders, answers: Answers, config_dir: Path | None = None) -> None:
    """Raises ConfigError with all that would be wrong with the setup; nothing is written.

    `config_dir`: with the documents that it may name, if not that of `folders`.
    """
    path = folders.file("setups", answers["name"])
    document = setup_document(answers, lambda _key, _answer: {"env": "SECRET"})
    parse_setup(document, path, config_dir or folders.config, {"SECRET": "-"})


def write_setup(
    folders: Folders, data_dir: Path, answers: Answers, config_dir: Path | None = None
) -> Path:
    """The file's path. Secrets that were typed go into files that only their owner can read.

    Raises ConfigError when there is such a setup already, or it would be no good, and SluiceError;
    nothing is left behind then. `config_dir`: as in `check_answers`.
    """
    path = folders.file("setups", answers["name"])
    if path.exists():
        raise ConfigError([f"{path}: it is there already; edit it, then apply it"])
    check_answers(folders, answers, config_dir)
    secrets = {key: _secret_file(data_dir, answers["name"], key) for key in SECRET_FILES}
    typed = {secrets[key]: answers[key] for key in secrets if not _pointed(answers[key])}
    new = [secret for secret in typed if not secret.exists()]
    try:
        for secret, answer in typed.items():
            write_private(secret, answer.encode() + b"\n")
        _write(path, setup_document(answers, lambda key, text: _reference(text, secrets[key])))
    except SluiceError:
        for secret in new:
            secret.unlink(missing_ok=True)
        raise
    return path


def _secret_file(data_dir: Path, name: str, key: str) -> Path:
    return data_dir / "connect" / f"{name}.{SECRET_FILES[key]}"


def _pointed(answer: str) -> dict[str, str]:
    """Where an answer says that the secret is; {} when it is the secret itself."""
    kind, _, rest = answer.partition(":")
    if kind == "env":
        return {"env": rest}
    return {"file": str(Path(rest).resolve())} if kind == "file" else {}


def _reference(answer: str, secret: Path) -> dict[str, str]:
    """How the setup refers to it. `secret`: the file of one that was typed."""
    return _pointed(answer) or {"file": str(secret.resolve())}


def take_in(folders: Folders, source: Path, written: Mapping[str, Any], name: str) -> Path:
    """A setup from elsewhere, put where it belongs. Raises ConfigError when one is there."""
    path = folders.file("setups", name)
    if path.resolve() == source.resolve():
        return path
    document = moved(dict(written), source.parent.resolve(), path.parent.resolve())
    if not path.exists():
        _write(path, document)
        return path
    faults: list[str] = []
    there = read_yaml(path, faults)
    if there is None:
        raise ConfigError([f"{fault}, or move it away" for fault in faults])
    if there != document:
        raise ConfigError(
            [f"{path}: another setup of this name is there already; apply that, or move it away"]
        )
    return path


def _write(path: Path, document: Mapping[str, Any]) -> None:
    text = _HEADER.format(name=path.stem)
    text += yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True)
    beside = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as fault:
        raise ConfigError([f"{path}: cannot be written: {fault.strerror}"]) from None
