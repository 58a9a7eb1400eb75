"""The codec of dead letters: what is written is read, by this release and by others."""

from __future__ import annotations

import json
from dataclasses import replace

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.batch import AttemptRun, pack
from app.core.dead_letter import (
    DeadLetter,
    DeadLetterSummary,
    about_of,
    cause_of,
    decode_cause,
    decode_letter,
    decode_old_summary,
    decode_summary,
    encode_letter,
    fingerprint_of,
    person_token,
)
from app.core.dead_letter.codec import fingerprint_in
from app.core.dead_letter.event_id import pack_event_id, unpack_event_id
from app.core.errors import UnreadableFrame

# As the release before versions wrote it.
OLD = ["a", 472_222, "check", "schema", "type", "/x", "expected string", "#3 ATTRIBUTE b -> x",
       "email.sent", "e1", 1_700_000_000_000, 1_700_000_001_000]  # fmt: skip
LABEL = "customerio-default@3+a1b2c3d4"
SUMMARY = DeadLetterSummary(7, *OLD, LABEL)
KEY = b"k" * 32
PERSON = (
    b'{"data":{"newsletter_id":27,"customer_id":"42","recipient":"Ada@example.com",'
    b'"identifiers":{"id":"42","email":"ada@example.com","cio_id":"d9c1"}}}'
)


def read(letter: DeadLetter) -> DeadLetter:
    encoded = encode_letter(letter, KEY)
    summary = decode_summary(letter.summary.number, encoded.summary, decode_cause(encoded.cause))
    return decode_letter(summary, encoded.payload)


def test_a_letter_is_read_as_it_was_written() -> None:
    letter = DeadLetter(
        SUMMARY, b"body", b'{"_id":"e1"}', (AttemptRun(1, 2, 3, "", 4, "", "", ""),)
    )
    found = read(letter)
    assert found == letter
    assert found.summary.fingerprint == fingerprint_of(cause_of(*OLD[2:8])).hex()


def test_a_letter_keeps_its_own_words_where_its_cause_made_them_alike() -> None:
    own = replace(SUMMARY, path="/items/3/x", detail="value 'ada@example.com' is 3 too long")
    encoded = encode_letter(DeadLetter(own, b"", None, ()), KEY)
    cause = decode_cause(encoded.cause)
    assert (cause.path, cause.detail) == ("/items/<n>/x", "value '..' is <n> too long")
    assert read(DeadLetter(own, b"", None, ())).summary == own


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"detail": "value 'b' at 4"}, True),
        ({"path": "/items/9"}, True),
        ({"event_id": "e2", "kind": "sms.sent", "mapping": "other@1", "connection": "b"}, True),
        ({"detail": "number at 4"}, False),
        ({"path": "/things/9"}, False),
        ({"code": "other"}, False),
        ({"failure": "contract"}, False),
        ({"row": "#4 ATTRIBUTE b -> x"}, False),
    ],
)  # fmt: skip
def test_letters_share_a_fingerprint_when_they_share_a_cause(
    change: dict[str, str], same: bool
) -> None:
    one = replace(SUMMARY, detail="value 'a' at 3", path="/items/1")
    other = replace(one, **change)
    prints = [
        fingerprint_in(encode_letter(DeadLetter(each, b"", None, ()), KEY).summary)
        for each in (one, other)
    ]
    assert (prints[0] == prints[1]) is same


def test_a_fingerprint_is_the_same_in_every_release() -> None:
    assert fingerprint_of(cause_of(*OLD[2:8])).hex() == "656fc4ba639e8254"


def test_a_body_says_campaign_and_people_each_once() -> None:
    about = about_of(PERSON)
    assert about.campaign == "newsletter:27"
    assert [person.lower() for person in about.people] == ["42", "ada@example.com", "d9c1"]


KEYS = ("data", "identifiers", "id", "email", "customer_id", "newsletter_id")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=90),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner),
)


@given(st.binary() | VALUES.map(lambda value: json.dumps({"data": value}).encode()))
def test_any_body_is_looked_into_without_a_word(body: bytes) -> None:
    about = about_of(body)
    assert len(about.people) <= 4
    assert len(about.campaign) <= 64


def test_a_person_is_found_however_the_address_is_written_and_only_with_the_key() -> None:
    assert person_token(KEY, " Ada@Example.com ") == person_token(KEY, "ada@example.com")
    assert person_token(b"other", "ada@example.com") != person_token(KEY, "ada@example.com")


@given(
    st.text(max_size=30)
    | st.integers(0, 2**128 - 1).map(lambda n: unpack_event_id(n.to_bytes(16, "big")))
)
def test_event_ids_survive_packing(event_id: str) -> None:
    assert unpack_event_id(pack_event_id(event_id)) == event_id


def test_a_ulid_takes_16_bytes_and_one_out_of_range_none_of_them() -> None:
    assert len(pack_event_id("01E2EMRMM6TZ12TF9WGZN0WJQT")) == 16
    assert pack_event_id("81E2EMRMM6TZ12TF9WGZN0WJQT") == "81E2EMRMM6TZ12TF9WGZN0WJQT"


def test_a_summary_of_an_older_release_has_no_mapping() -> None:
    found = decode_old_summary(7, pack(OLD))
    assert (found.mapping, found.dead_ms, found.row) == ("", OLD[-1], "#3 ATTRIBUTE b -> x")
    assert decode_old_summary(7, pack([*OLD, LABEL, "of a field to come"])) == SUMMARY


def test_a_summary_of_a_newer_release_is_read_as_far_as_it_is_known() -> None:
    encoded = encode_letter(DeadLetter(SUMMARY, b"", None, ()), KEY)
    newer = msgpack.packb(
        [*msgpack.unpackb(encoded.summary, raw=True), 0, 0, "of a field to come"],
        use_bin_type=False,
    )
    assert decode_summary(7, newer, decode_cause(encoded.cause)) == SUMMARY


def test_a_letter_knows_its_replays_and_pays_for_none() -> None:
    plain = encode_letter(DeadLetter(SUMMARY, b"", None, ()), KEY)
    replayed = replace(SUMMARY, replays=2, run=17)
    encoded = encode_letter(DeadLetter(replayed, b"", None, ()), KEY)

    found = decode_summary(7, encoded.summary, decode_cause(encoded.cause))
    assert (found.replays, found.run) == (2, 17)
    assert len(encoded.summary) == len(plain.summary) + 2


def test_a_letter_whose_cause_is_lost_is_still_read() -> None:
    encoded = encode_letter(DeadLetter(SUMMARY, b"", None, ()), KEY)
    found = decode_summary(7, encoded.summary, None)
    assert (found.failure, found.code, found.event_id) == ("schema", "", "e1")


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"\x01",
        b"\xc1",
        msgpack.packb([1, 2]),
        msgpack.packb(7),
        msgpack.packb([1] * 12),
        msgpack.packb([b"x"] * 12),
    ],
)
def test_damaged_bytes_are_named_so(damaged: bytes) -> None:
    with pytest.raises(UnreadableFrame, match="damaged"):
        decode_summary(7, damaged, None)
    with pytest.raises(UnreadableFrame, match="damaged"):
        decode_cause(damaged)


def test_an_old_summary_that_lacks_what_was_always_there_is_damaged() -> None:
    with pytest.raises(UnreadableFrame, match="11 fields"):
        decode_old_summary(7, pack(OLD[:-1]))
