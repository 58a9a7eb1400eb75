"""Values that a connection file only points at: environment variables and secret files.

A secret is `{env: NAME}` or `{file: path}`, never the value itself. `{env: NAME}` also reads the
file that `NAME_FILE` names, the convention of container images. Any other text may be
`{env: NAME, default: text}`, so that one file serves in several surroundings.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from app.settings.faults import dotted

# Where a connection file holds lists of secrets.
SECRET_LISTS: Final = frozenset({"signing_keys", "platform.credentials.client_secrets"})
# Where a setup file holds a single one.
SECRETS: Final = frozenset({"customerio.api_key"})


class Resolver:
    """Replaces the references of one document. Collects `faults` instead of raising, and the
    files that were `pointed` at."""

    def __init__(
        self, environ: Mapping[str, str], folder: Path, *, wants_secrets: bool = True
    ) -> None:
        """`wants_secrets` False: stand-ins are enough, for whoever only reads the rest."""
        self.faults: list[str] = []
        self.pointed: set[Path] = set()
        self._wants_secrets = wants_secrets
        self._environ = environ
        self._folder = folder

    def resolve(self, node: Any, location: tuple[str | int, ...] = ()) -> Any:
        """`node` with every reference replaced: secrets by bytes, other values by text.

        A reference that cannot be followed is left out of a list, and a fault.
        """
        key = dotted(location)
        if key in SECRET_LISTS:
            return self._secrets(node, key)
        if key in SECRETS:
            # What is at fault was said; a stand-in keeps it from being said twice.
            return self._secret(node, key) or b"\0"
        if isinstance(node, dict):
            if "env" in node and set(node) <= {"env", "default"}:
                return self._text(node, key)
            return {name: self.resolve(value, (*location, name)) for name, value in node.items()}
        if isinstance(node, list):
            return [self.resolve(value, (*location, at)) for at, value in enumerate(node)]
        return node

    def _text(self, reference: dict[str, Any], key: str) -> Any:
        name = reference["env"]
        value = self._environ.get(name) if isinstance(name, str) else None
        if value is None and "default" in reference:
            return reference["default"]
        if value is None:
            self.faults.append(
                f"{key}: the environment variable {name} is not set; set it, or give a default"
            )
            return ""
        return value

    def _secrets(self, node: Any, key: str) -> Any:
        if not isinstance(node, list):
            self.faults.append(f"{key}: wanted a list, each {{env: NAME}} or {{file: path}}")
            return [b"\0"]
        found = [self._secret(item, f"{key}[{at}]") for at, item in enumerate(node)]
        # What is at fault was said; a stand-in keeps "the list is empty" from being said too.
        return [secret or b"\0" for secret in found]

    def _secret(self, item: Any, key: str) -> bytes | None:
        match item:
            case {"env": str(), **rest} | {"file": str(), **rest} if not (
                rest or self._wants_secrets
            ):
                return None
            case {"env": str(name), **rest} if not rest:
                return self._from_environment(name, key)
            case {"file": str(path), **rest} if not rest:
                return self._from_file(self._folder / path, key)
            case str() | int() | bytes():
                self.faults.append(
                    f"{key}: a secret must not stand in this file; put it into an environment "
                    "variable or a file, and write {env: NAME} or {file: path}"
                )
            case _:
                self.faults.append(f"{key}: wanted {{env: NAME}} or {{file: path}}")
        return None

    def _from_environment(self, name: str, key: str) -> bytes | None:
        if value := self._environ.get(name, "").strip("\r\n"):
            return value.encode()
        if path := self._environ.get(f"{name}_FILE"):
            return self._from_file(Path(path), key)
        state = "empty" if name in self._environ else "not set"
        self.faults.append(
            f"{key}: the environment variable {name} is {state}; set it, or {name}_FILE to a file"
        )
        return None

    def _from_file(self, path: Path, key: str) -> bytes | None:
        self.pointed.add(path)
        try:
            secret = read_secret(path)
        except (OSError, ValueError) as fault:
            # ValueError: a path with a NUL in it.
            why = fault.strerror if isinstance(fault, OSError) else fault
            self.faults.append(f"{key}: cannot read {path}: {why}")
            return None
        if not secret:
            self.faults.append(f"{key}: {path} is empty; put the secret into it")
        return secret or None


def read_secret(path: Path) -> bytes:
    """A secret file's bytes without the line end that editors add. Raises OSError."""
    return path.read_bytes().rstrip(b"\r\n")
