"""The files of a connection's signing keys.

The first lies in `connect/NAME.signing-key`, each that is given later beside it, as `.2`, `.3` and
so on; what is kept in one never changes. The newest stands first in the connection file, and those
before it stay good until a genuine event was signed with a newer one: a wrong key that was given
must not make Customer.io's events refused, which holds its stream for an hour (customerio.md
section 9).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from app.connect.connection_file import is_ours, name_keys, named_keys
from app.connect.run import Run
from app.connect.state import write_private
from app.core.errors import SluiceError
from app.core.signature import fingerprint
from app.settings.secrets import read_secret


class Kept(NamedTuple):
    """A key, and the file that it lies in."""

    path: Path
    key: bytes


def kept_keys(run: Run) -> list[Kept]:
    """The newest first, each once; empty files left out. Those that lie elsewhere, since the setup
    named another place when the connection file was written, come last. Raises SluiceError."""
    connection = run.places.connection
    named = named_keys(connection) if is_ours(connection) else []
    return _read([*key_files(run.places.signing_key), *named])


def own_keys(run: Run) -> list[Kept]:
    """Of them, those that lie where the setup says. Raises SluiceError."""
    return _read(key_files(run.places.signing_key))


def key_files(first: Path) -> list[Path]:
    """All there are, the newest first. `first`: the file of the first key."""
    numbered = sorted(_numbered(first), reverse=True)
    return [path for _, path in numbered] + [first] * first.is_file()


def wants_another(run: Run) -> bool:
    """Whether the webhook is another one than the newest key was given for: each may have a key of
    its own (customerio.md section 8). Not, where nobody has looked for the webhook."""
    return "webhook" in run.ids and run.state.key_of not in ("", run.id("webhook"))


def key_to_be(run: Run) -> bytes:
    """The newest, once the run is through; b"" while nobody has given one. Raises SluiceError."""
    if run.signing_key or wants_another(run):
        return run.signing_key
    kept = kept_keys(run)
    return kept[0].key if kept else run.first_key


def files_to_be(run: Run) -> list[Path]:
    """As the connection file names them, once the run is through. Raises SluiceError."""
    own, kept, key = own_keys(run), kept_keys(run), key_to_be(run)
    if (key or wants_another(run)) and (not own or own[0].key != key):
        first = _next(run.places.signing_key, own)
        kept = [Kept(first, key), *(each for each in kept if each.key != key)]
    return [each.path for each in kept] or [run.places.signing_key]


def keep(run: Run, key: bytes) -> None:
    """As the newest; on disk when this returns. Raises SluiceError."""
    own = own_keys(run)
    if not own or own[0].key != key:
        write_private(_next(run.places.signing_key, own), key + b"\n")
    run.state.key_of = run.id("webhook")


async def drop_outdated(run: Run) -> None:
    """Takes away keys older than one that Customer.io has signed with since it was given. Raises
    SluiceError and StoreUnavailable."""
    connection = run.places.connection
    if run.signatures is None or not connection.is_file() or not is_ours(connection):
        return
    kept = kept_keys(run)
    believed = await run.signatures.believed()
    proven = [at for at, each in enumerate(kept) if fingerprint(each.key) in believed]
    left = [each.path for each in (kept[: proven[0] + 1] if proven else kept)]
    outdated = [path for path in key_files(run.places.signing_key) if path not in left]
    if not left or not (outdated or len(left) < len(kept)):
        return
    # In this order: what the connection file names is always there.
    name_keys(connection, left, run.setup.name)
    for path in outdated:
        path.unlink(missing_ok=True)
    run.note("Customer.io signs with the newer signing key: the older one is taken away")


def _read(paths: list[Path]) -> list[Kept]:
    found: dict[bytes, Path] = {}
    for path in paths:
        try:
            if path.is_file() and (key := read_secret(path)):
                found.setdefault(key, path)
        except OSError as fault:
            raise SluiceError(f"{path} cannot be read: {fault.strerror}") from None
    return [Kept(path, key) for key, path in found.items()]


def _next(first: Path, kept: list[Kept]) -> Path:
    if not kept:
        return first
    last = max((number for number, _ in _numbered(first)), default=1)
    return first.with_name(f"{first.name}.{last + 1}")


def _numbered(first: Path) -> list[tuple[int, Path]]:
    pattern = re.compile(re.escape(first.name) + r"\.(\d+)", re.ASCII)
    beside = first.parent.iterdir() if first.parent.is_dir() else ()
    named = ((pattern.fullmatch(path.name), path) for path in beside)
    return [(int(match[1]), path) for match, path in named if match and path.is_file()]
