"""What an apply remembers of itself: `connect/NAME.json` in the data folder.

Everything in it can be found again by name, but two things cannot: when the flow was made or
changed (five minutes from then on nothing may be sent, platform.md section 1.7), and which call was
under way when the process was killed. Replaced atomically and fsynced after each change.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from app.core.errors import SluiceError

_VERSION: Final = 1


@dataclass(slots=True)
class State:
    """`ids`: step -> id of the object in use; `retired`: (step, id) of what was replaced;
    `under_way`: the step of a call whose answer is not known, "" = none; `changing`: the id of what
    it changes, "" = it makes something; `changed_at`: Unix seconds
    of the flow's making or last change, 0 = none yet; `tested_at`: of the signed test that came
    through, `tested_with`: key and way of it; `tests_before`: as many tests were counted when one
    was sent that is not counted yet, -1 = none is; `webhook_off`: a person switched it off;
    `made`: (step, id) of what was not there before us, and goes with us; `like_tutorial`: as in
    Wiring.apply, of the last one; `key_of`: the webhook for which the newest signing key was given,
    "" = not known."""

    ids: dict[str, str] = field(default_factory=dict)
    retired: list[tuple[str, str]] = field(default_factory=list)
    made: list[tuple[str, str]] = field(default_factory=list)
    under_way: str = ""
    changing: str = ""
    changed_at: float = 0.0
    tested_at: float = 0.0
    tested_with: str = ""
    tests_before: int = -1
    webhook_off: bool = False
    like_tutorial: str = ""
    key_of: str = ""


_STATE: Final = TypeAdapter(State)


class StateFile:
    """One setup's state. Raises SluiceError when the data folder cannot be used."""

    def __init__(self, data_dir: Path, name: str) -> None:
        self.folder = data_dir / "connect"
        self.path = self.folder / f"{name}.json"
        self.lock = self.folder / f"{name}.lock"
        self._name = name
        self.state = self._read()

    def _read(self) -> State:
        try:
            return _state_in(self.path.read_bytes())
        except FileNotFoundError:
            return State()
        except (OSError, ValueError) as fault:
            raise SluiceError(
                f"{self.path} cannot be read ({_why(fault)}); move it away: everything is then "
                "found again by name"
            ) from None

    def save(self) -> None:
        """What is in memory is on disk when this returns."""
        content = json.dumps({"version": _VERSION, **asdict(self.state)}, indent=2).encode()
        write_private(self.path, content + b"\n")

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)
        self.state = State()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Only one apply at a time. Raises SluiceError when another one is under way."""
        _folder(self.folder)
        with self.lock.open("wb") as lock:
            try:
                fcntl.flock(lock.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise SluiceError(f"another command is at work on {self._name}") from None
            # What was read before may be old by now.
            self.state = self._read()
            yield


def write_private(path: Path, content: bytes) -> None:
    """Replaces a file whole or not at all, on disk when this returns; for its owner only.

    Raises SluiceError.
    """
    _folder(path.parent)
    beside = path.with_name(f".{path.name}.new")
    try:
        beside.unlink(missing_ok=True)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        sync_folder(path.parent)
    except OSError as fault:
        raise SluiceError(f"{path} cannot be written: {fault.strerror}") from None


def sync_folder(folder: Path) -> None:
    """A rename is on disk only when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as fault:
        raise SluiceError(f"{folder} cannot be made: {fault.strerror}") from None


def _state_in(content: bytes) -> State:
    """Fields of a later release are dropped, those of an earlier one have their defaults. Raises
    ValueError for what no apply has written."""
    found = _STATE.validate_json(content)
    if not math.isfinite(found.changed_at + found.tested_at):
        raise ValueError("changed_at and tested_at are no times")
    return found


def _why(fault: Exception) -> str:
    """The first thing that is wrong, on one line."""
    if not isinstance(fault, ValidationError):
        return str(fault)
    first = fault.errors(include_url=False)[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place}: {first['msg']}" if place else first["msg"]
