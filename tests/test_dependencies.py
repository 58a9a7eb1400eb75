"""What Sluice runs on: every package pinned by hash, none under a licence that binds its users."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, metadata

import pytest

from tests.e2e.process import ROOT

LOCKS = ROOT / "config" / "requirements"
PINNED = re.compile(r"(?m)^([a-z0-9][a-z0-9._-]*)==([^ \\;]+)")

PERMISSIVE = {
    "Apache-2.0", "Apache 2.0", "Apache Software License", "MIT", "MIT-0", "MIT License",
    "ISC License", "ISC License (ISCL)", "BSD License", "BSD-2-Clause", "BSD-3-Clause", "PSF-2.0",
    "Python Software Foundation License",
}  # fmt: skip
# Asks for the source of its own files when they are changed and handed on; we do neither.
UNCHANGED = {"MPL-2.0", "Mozilla Public License 2.0 (MPL 2.0)"}
# Not installed on this platform, and looked up by hand: both say so in their metadata.
ELSEWHERE = {"async-timeout": "Apache-2.0", "colorama": "BSD License"}


def licences(name: str) -> set[str]:
    """What a package's metadata say, in one of the three places that are in use."""
    try:
        found = metadata(name)
    except PackageNotFoundError:
        return {ELSEWHERE[name]}
    if expression := found.get("License-Expression"):
        return set(re.split(r" AND | OR |[()]", expression)) - {""}
    said = {
        line.rpartition(" :: ")[2]
        for line in found.get_all("Classifier", [])
        if line.startswith("License")
    }
    return said or {(found.get("License") or "").strip()}


def pinned(lock: str) -> list[str]:
    return [name for name, _ in PINNED.findall((LOCKS / lock).read_text())]


@pytest.mark.parametrize("name", pinned("run.lock"))
def test_the_licence_of_a_run_dependency_is_permissive(name: str) -> None:
    assert licences(name) <= PERMISSIVE | UNCHANGED


@pytest.mark.parametrize("lock", ["run.lock", "dev.lock"])
def test_every_package_of_a_lock_file_has_hashes_and_no_place_to_be_fetched_from(lock: str) -> None:
    text = (LOCKS / lock).read_text()
    blocks = re.split(r"(?m)^(?=[a-z0-9])", text)
    packages = [block for block in blocks if PINNED.match(block)]
    assert len(packages) == len(pinned(lock)) > 30
    assert [block.split("\n")[0] for block in packages if "--hash=sha256:" not in block] == []
    assert "://" not in text
