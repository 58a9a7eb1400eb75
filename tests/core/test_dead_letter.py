"""The codec of dead letters: releases before and after this one read each other's summaries."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core.batch import pack, unpack
from app.core.dead_letter import DeadLetter, DeadLetterSummary, decode_letter, encode_letter
from app.core.dead_letter import decode_summary as decode
from app.core.errors import UnreadableFrame

# As the release before versions wrote it.
OLD = ["a", 472_222, "check", "schema", "type", "/x", "expected string", "#3 ATTRIBUTE b -> x",
       "email.sent", "e1", 1_700_000_000_000, 1_700_000_001_000]  # fmt: skip
LABEL = "customerio-default@3+a1b2c3d4"
SUMMARY = DeadLetterSummary(7, *OLD, LABEL)


def test_a_letter_is_read_as_it_was_written() -> None:
    letter = DeadLetter(SUMMARY, b"body", b'{"_id":"e1"}', ())
    assert decode_letter(7, *encode_letter(letter)) == letter


def test_a_summary_of_an_older_release_has_no_mapping() -> None:
    found = decode(7, pack(OLD))
    assert (found.mapping, found.dead_ms, found.row) == ("", OLD[-1], "#3 ATTRIBUTE b -> x")


def test_a_summary_of_a_newer_release_is_read_as_far_as_it_is_known() -> None:
    assert decode(7, pack([*OLD, LABEL, 0, 0, "of a field to come"])) == SUMMARY


def test_a_summary_knows_which_replays_came_before() -> None:
    letter = DeadLetter(replace(SUMMARY, replays=2, run=17), b"body", None, ())
    assert decode_letter(7, *encode_letter(letter)) == letter
    assert (decode(7, pack([*OLD, LABEL])).replays, decode(7, pack([*OLD, LABEL])).run) == (0, 0)


def test_the_fields_of_older_releases_lie_where_they_always_did() -> None:
    _, summary = encode_letter(DeadLetter(SUMMARY, b"", None, ()))
    assert unpack(summary)[: len(OLD)] == OLD


def test_a_summary_that_lacks_what_was_always_there_is_damaged() -> None:
    with pytest.raises(UnreadableFrame, match="11 fields"):
        decode(7, pack(OLD[:-1]))
