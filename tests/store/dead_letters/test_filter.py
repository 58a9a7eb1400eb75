"""Which dead letters a filter lets through."""

from __future__ import annotations

import pytest

from app.core.dead_letter import DeadLetterSummary
from app.store.dead_letters import Filter

LABEL = "customerio-default@3+a1b2c3d4"


def letter(mapping: str) -> DeadLetterSummary:
    return DeadLetterSummary(1, "a", 1, "check", "schema", "type", "/x", "", "", "", "e", 1, 1,
                             mapping)  # fmt: skip


@pytest.mark.parametrize("wanted", [None, LABEL, "customerio-default", "customerio-default@3"])
def test_a_set_a_version_or_a_label_finds_what_it_made(wanted: str | None) -> None:
    assert Filter(mapping=wanted).wants(letter(LABEL))


@pytest.mark.parametrize("wanted", ["", "customerio", "customerio-default@", "customerio-default@2",
                                    "other", f"{LABEL}5"])  # fmt: skip
def test_another_set_or_version_finds_none(wanted: str) -> None:
    assert not Filter(mapping=wanted).wants(letter(LABEL))


def test_what_no_mapping_set_made_can_be_asked_for() -> None:
    assert Filter(mapping="").wants(letter(""))
