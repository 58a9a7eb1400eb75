"""One target for all of them: what is left of an attack must not trouble the next."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.web.fuzz.target import Target, firing


@pytest.fixture(scope="package")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with firing(tmp_path_factory.mktemp("fuzz")) as started:
        yield started
