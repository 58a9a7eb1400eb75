"""The frame codec: exact bytes, small, readable for ever."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgpack
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from app.core.batch import (
    CURRENT_VERSION,
    TAKE_OVER,
    AttemptRun,
    EventBatch,
    add_attempt,
    decode,
    encode,
    encode_received,
    pack,
    unpack,
)
from app.core.batch_dictionary import VERSION_1
from app.core.batch_id import BatchId
from app.core.errors import UnreadableFrame

GOLDEN = Path(__file__).parents[1] / "fixtures" / "frames"
RUN = AttemptRun(10, 20, 3, "transient", 503, "http_503", "away", "r")


@given(
    bodies=st.lists(st.binary(max_size=300), max_size=20),
    claim=st.integers(-1, 2**40),
    tries=st.integers(0, 1000),
)
def test_a_frame_gives_back_the_exact_bytes(bodies: list[bytes], claim: int, tries: int) -> None:
    times = [1_700_000_000_000 + i for i in range(len(bodies))]
    histories: list[tuple[AttemptRun, ...]] = [(RUN,) for _ in bodies]
    batch = EventBatch(bodies, times, claim, tries, histories)
    assert decode(encode(batch)) == batch


def test_events_just_received_have_no_claim_and_no_history() -> None:
    batch = decode(encode_received([b"a", b""], [7, 5]))
    assert (batch.bodies, batch.received_ms) == ([b"a", b""], [7, 5])
    assert (batch.claim, batch.tries, batch.history(1)) == (0, 0, ())


def test_frames_of_version_1_stay_readable() -> None:
    """The golden frame was written by the first release; it may never change."""
    batch = decode((GOLDEN / "version-1.bin").read_bytes())
    assert batch.bodies == [b'{"data":{},"event_id":"01E4C4CT6YDC7Y5M7FE1GWWPQJ"}', b"\x00\xff"]
    assert batch.received_ms == [1_700_000_000_000, 1_700_000_000_009]
    assert (batch.claim, batch.tries) == (TAKE_OVER, 2)
    assert batch.histories == [(RUN,), ()]


def test_frames_of_version_2_stay_readable() -> None:
    """They carry ready records; an older release does not know the version, and sets it aside."""
    frame = (GOLDEN / "version-2.bin").read_bytes()
    batch = decode(frame)
    assert batch.bodies == [
        b'{"data":{},"event_id":"01E4C4CT6YDC7Y5M7FE1GWWPQJ"}',
        b'{"_id":"01E4C4CT6YDC7Y5M7FE1GWWPQK"}',
    ]
    assert (batch.ready, batch.claim, batch.tries) == (frozenset({1}), TAKE_OVER, 2)
    assert batch.histories == [(RUN,), ()]
    assert decode(encode(batch)) == batch


def test_a_batch_without_ready_records_is_written_as_before() -> None:
    assert encode(EventBatch([b"a"], [1]))[0] == 1
    assert encode(EventBatch([b"a"], [1], ready=frozenset({0})))[0] == 2


def test_a_ready_record_beyond_the_end_is_refused() -> None:
    with pytest.raises(UnreadableFrame, match="ready"):
        decode(encode(EventBatch([b"a"], [1], ready=frozenset({1}))))


def test_the_dictionary_of_version_1_is_frozen() -> None:
    assert hashlib.sha256(VERSION_1).hexdigest() == (
        "af7f658d1ac7679197f7bb19bd3758ba07aa045567470fecb19d272c06f62344"
    )


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        bytes([CURRENT_VERSION]),
        bytes([CURRENT_VERSION]) + b"garbage",
        bytes([99]) + b"future",
        encode_received([b"a"], [1])[:-3],
    ],
)
def test_damaged_or_unknown_frames_are_refused(frame: bytes) -> None:
    with pytest.raises(UnreadableFrame):
        decode(frame)
    with pytest.raises(UnreadableFrame):
        unpack(frame)


def test_a_frame_whose_lists_differ_in_length_is_refused() -> None:
    dictionary = zstandard.ZstdCompressionDict(VERSION_1, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    content = msgpack.packb([0, 0, 0, [b"a", b"b"], [0], None])
    compressed = zstandard.ZstdCompressor(dict_data=dictionary).compress(content)
    with pytest.raises(UnreadableFrame, match="lists differ"):
        decode(bytes([CURRENT_VERSION]) + compressed)


def test_packed_values_come_back() -> None:
    assert unpack(pack([b"body", None, 3])) == [b"body", None, 3]


def test_one_small_event_is_stored_in_less_than_half_its_size() -> None:
    body = (Path(__file__).parents[1] / "fixtures/customerio/send-test-email-sent.raw").read_bytes()
    assert len(encode_received([body], [1_700_000_000_000])) < len(body) * 0.6


def test_the_same_result_again_lengthens_the_run() -> None:
    history = add_attempt((), RUN)
    again = RUN._replace(first_ms=30, last_ms=30, times=1, receipt="s")
    history = add_attempt(history, again)
    assert history == (RUN._replace(last_ms=30, times=4, receipt="s"),)
    other = again._replace(status=500)
    assert add_attempt(history, other) == (*history, other)


def test_a_part_keeps_only_its_positions() -> None:
    batch = EventBatch([b"a", b"b", b"c"], [1, 2, 3], 9, 1, [(RUN,), (), ()])
    assert batch.part([0, 2]) == EventBatch([b"a", b"c"], [1, 3], 9, 1, [(RUN,), ()])
    assert EventBatch([b"a", b"b"], [1, 2]).part([1]) == EventBatch([b"b"], [2])
    some = EventBatch([b"a", b"b", b"c"], [1, 2, 3], ready=frozenset({0, 2}))
    assert some.part([1, 2]) == EventBatch([b"b", b"c"], [2, 3], ready=frozenset({1}))


def test_a_batch_id_says_what_the_ledger_must_know() -> None:
    batch_id = BatchId("acme-eu", 494_322, 500, 77)
    assert BatchId.parse(str(batch_id)) == batch_id
    with pytest.raises(ValueError):
        BatchId.parse("nonsense")
