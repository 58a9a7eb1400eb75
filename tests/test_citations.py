"""Comments cite the three pages that say why: what is cited must be there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
PAGES: Final = {
    "design.md": ROOT / "app/design.md",
    "platform.md": ROOT / "app/adobe/platform.md",
    "customerio.md": ROOT / "app/customerio/customerio.md",
}
_NUMBER: Final = r"\d+(?:\.\d+)?"
_CITED: Final = re.compile(
    rf"\b(design|platform|customerio)\.md,?\s+(?:#\s*)?(?:sections?\s+)?(?:#\s*)?"
    rf"({_NUMBER}(?:(?:,\s*|\s+and\s+|\s+to\s+){_NUMBER})*)"
)
_SUFFIXES: Final = {".py", ".lua", ".yaml", ".yml", ".json", ".html", ".js", ".toml"}


def cited() -> dict[tuple[str, str], Path]:
    """(page, number) -> a file that cites it."""
    found: dict[tuple[str, str], Path] = {}
    for top in ("app", "worker", "tests", "config"):
        for path in sorted((ROOT / top).rglob("*")):
            if path.suffix in _SUFFIXES and path != Path(__file__):
                for page, numbers in _CITED.findall(path.read_text()):
                    for number in re.findall(_NUMBER, numbers):
                        found.setdefault((f"{page}.md", number), path)
    return found


def sections(page: str) -> set[str]:
    """The numbers of its headings; and 4.2 for the second point of section 4."""
    found: set[str] = set()
    section = ""
    for line in PAGES[page].read_text().splitlines():
        if line.startswith("#"):
            numbers = re.findall(rf"\b{_NUMBER}(?=\.? )", line)
            found |= {*numbers}
            section = numbers[0] if numbers else section
        elif point := re.match(r"(\d+)\. ", line):
            found.add(f"{section}.{point[1]}")
    return found


@pytest.mark.parametrize("page", PAGES)
def test_every_section_that_is_cited_is_there(page: str) -> None:
    wanted = {number: path for (name, number), path in cited().items() if name == page}
    assert len(wanted) > 2
    assert {n: str(p) for n, p in wanted.items() if n not in sections(page)} == {}
