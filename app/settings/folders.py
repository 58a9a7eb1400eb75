"""Where configuration lies: what people write, and what `sluice connect` and the console write.

The two are one folder unless SLUICE_GENERATED_DIR says otherwise: in a container the first is part
of the image, or mounted read-only, and the second lies on a volume.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

Kind = Literal["connections", "setups"]

MAPPINGS: Final = "mappings"
SCHEMAS: Final = "schemas"


@dataclass(frozen=True, slots=True)
class Folders:
    """`config` has mappings/ and schemas/; connections/ and setups/ are in both."""

    config: Path
    generated: Path | None = None

    def files(self, kind: Kind, pattern: str = "*.yaml") -> list[Path]:
        """All there are, by name."""
        found = [path for root in self._roots() for path in (root / kind).glob(pattern)]
        return sorted(found, key=lambda path: (path.name, str(path)))

    def file(self, kind: Kind, name: str) -> Path:
        """Where that one is; and when there is none, where one would be written."""
        paths = [root / kind / f"{name}.yaml" for root in self._roots()]
        return next((path for path in paths if path.exists()), paths[-1])

    def written(self, kind: Kind) -> Path:
        """The folder into which new ones go."""
        return (self.generated or self.config) / kind

    def twice(self, kind: Kind, name: str = "*") -> list[str]:
        """A fault for each name that stands in both folders. `name`: only that one."""
        before: dict[str, Path] = {}
        return [
            f"{path}: {other} has the same name; remove one of them"
            for path in self.files(kind, f"{name}.yaml")
            if (other := before.setdefault(path.stem, path)) != path
        ]

    def _roots(self) -> Iterator[Path]:
        yield self.config
        if self.generated is not None and self.generated.resolve() != self.config.resolve():
            yield self.generated


def may_write(folder: Path) -> bool:
    """Whether files can be put there, or the folder be made."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
