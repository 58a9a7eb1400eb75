"""Secrets that were typed into a wizard: files of ours, which go when nothing needs them."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from app.connect.connection_file import is_ours
from app.connect.run import Places
from app.connect.setup_file import SECRET_FILES
from app.core.errors import SluiceError
from app.settings.load import read_yaml
from app.settings.secrets import Resolver


def typed_secrets(places: Places, name: str) -> tuple[Path, ...]:
    """The setup's: where the wizard puts them, the setup points at just them, and no other file
    does. Raises nothing: what cannot be read may point at them, and keeps them."""
    folder = places.data_dir / "connect"
    own = [path for kind in SECRET_FILES.values() if (path := folder / f"{name}.{kind}").is_file()]
    pointed = _pointed(places.setup) or set()
    taken: set[Path] = set()
    for path in _others(places):
        found = _pointed(path)
        if found is None:
            return ()
        taken |= found
    return tuple(path for path in own if path.resolve() in pointed - taken)


def _others(places: Places) -> list[Path]:
    """All setups and connections but this one's own, which goes, too."""
    mine = {places.setup}
    # One that cannot be read is asked below, and keeps them.
    with suppress(SluiceError):
        if is_ours(places.connection):
            mine.add(places.connection)
    all_of_them = [*places.folders.files("setups"), *places.folders.files("connections")]
    return [path for path in all_of_them if path not in mine]


def _pointed(path: Path) -> set[Path] | None:
    """The secret files that a file names; None when it cannot be read."""
    document = read_yaml(path, [])
    if document is None:
        return None
    resolver = Resolver({}, path.parent)
    resolver.resolve(document)
    return {each.resolve() for each in resolver.pointed}
