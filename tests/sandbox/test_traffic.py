"""customerio.md sections 1 to 6 and 11: the events as they are made up."""

from __future__ import annotations

import re
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.core.errors import UnreadableEvent
from app.core.event import parse_event
from app.sandbox.customerio.events.fields import MESSAGES
from app.sandbox.customerio.ulid import ulid
from app.sandbox.traffic import (
    KINDS,
    Shares,
    ShotKind,
    every_kind,
    generate,
    send_test_body,
    shots,
)

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
FIXTURES = Path(__file__).parents[1] / "fixtures" / "customerio"


def minted_ms(event_id: str) -> int:
    milliseconds = 0
    for character in event_id[:10]:
        milliseconds = milliseconds * 32 + CROCKFORD.index(character)
    return milliseconds


def test_a_ulid_is_its_time_and_its_chance() -> None:
    assert ulid(0, 0) == "0" * 26
    assert ulid((1 << 48) - 1, (1 << 80) - 1) == "7" + "Z" * 25
    assert minted_ms(ulid(1_692_633_432_123, 5)) == 1_692_633_432_123


def test_a_seed_repeats_every_byte_and_another_one_none() -> None:
    assert list(generate(7, 200)) == list(generate(7, 200))
    assert not set(generate(7, 200)) & set(generate(8, 200))


def test_every_pair_of_the_reference_is_there_and_readable() -> None:
    kinds = [parse_event(body).kind for body in every_kind(1)]

    per_family = Counter(kind.partition(".")[0] for kind in kinds)
    # Section 4: 69 pairs with a schema, and four that can only be subscribed to.
    assert len(set(kinds)) == len(kinds) == len(KINDS) == 73
    assert per_family == {
        "customer": 3,
        "email": 14,
        "push": 11,
        "in_app": 8,
        "sms": 11,
        "whatsapp": 12,
        "slack": 7,
        "webhook": 7,
    }


def test_bodies_are_compact_json_with_sorted_keys() -> None:
    for body in every_kind(2):
        assert body == orjson.dumps(orjson.loads(body), option=orjson.OPT_SORT_KEYS)


def test_ids_are_unique_and_minted_shortly_after_their_timestamp_in_order() -> None:
    events = [parse_event(body) for body in generate(3, 3000)]

    minted = [minted_ms(event.event_id) for event in events]
    assert len({event.event_id for event in events}) == 3000
    assert minted == sorted(minted)
    for event, moment in zip(events, minted, strict=True):
        assert 600 <= moment - event.timestamp * 1000 <= 2200


def test_every_required_field_of_a_kind_is_there() -> None:
    for body in every_kind(4):
        event = parse_event(body)
        data = event.document["data"]
        assert data["identifiers"]
        if event.family == "customer":
            assert "email_address" in data
            continue
        for name in MESSAGES[event.family][event.metric].split():
            assert name.endswith("?") or data[name] not in (None, "")
        assert re.fullmatch(r"[A-Za-z0-9_-]{26,32}={0,2}", data["delivery_id"])
        assert len(data["delivery_id"]) in (28, 32)


def test_all_four_variants_occur_and_each_message_has_one() -> None:
    found = Counter[str]()
    for body in generate(5, 2000):
        event = parse_event(body)
        names = {"campaign_id", "newsletter_id", "trigger_id", "transactional_message_id"}
        present = names & event.document["data"].keys()
        if "delivery_id" in event.document["data"]:
            assert len(present) == 1
        found.update(present)
    assert len(found) == 4
    assert min(found.values()) > 100


def test_sent_delivered_and_opened_dominate() -> None:
    metrics = Counter(parse_event(body).metric for body in generate(6, 5000))
    most = sum(metrics[name] for name in ("sent", "delivered", "opened"))
    assert most / 5000 > 0.7


def test_bodies_have_the_sizes_of_real_ones_or_the_size_asked_for() -> None:
    sizes = sorted(len(body) for body in generate(7, 2000))
    assert 350 < sizes[1000] < 700
    assert sizes[-1] < 1500

    for body in every_kind(8, body_bytes=2000):
        assert 2000 <= len(body) <= 2001
        parse_event(body)


def test_stringified_json_stays_json_when_padded() -> None:
    kinds = (("push", "sent"), ("customer", "cio_subscription_preferences_changed"))
    for body in generate(9, 40, body_bytes=1500, kinds=kinds):
        content = orjson.loads(body)["data"].get("content", "")
        if content.startswith("{"):
            orjson.loads(content)


def test_the_send_test_body_is_the_captured_one() -> None:
    captured = Path(FIXTURES / "send-test-email-sent.raw")
    if captured.exists():
        assert send_test_body(1_692_633_432) == captured.read_bytes()
    event = parse_event(send_test_body(1_692_633_432))
    assert event.is_send_test


def test_shares_mix_the_traffic() -> None:
    mixed = list(shots(1, 10_000, Shares(duplicates=0.05, bad_signatures=0.02, garbage=0.01)))

    kinds = Counter(shot.kind for shot in mixed)
    assert 400 < kinds[ShotKind.DUPLICATE] < 600
    assert 130 < kinds[ShotKind.BAD_SIGNATURE] < 270
    assert 60 < kinds[ShotKind.GARBAGE] < 140
    assert len(mixed) == 10_000


def test_a_duplicate_repeats_the_bytes_of_an_earlier_event() -> None:
    seen: dict[int, bytes] = {}
    for shot in shots(2, 2000, Shares(duplicates=0.2)):
        if shot.kind is ShotKind.DUPLICATE:
            assert seen[shot.number] == shot.body
        else:
            assert shot.number not in seen
            seen[shot.number] = shot.body


def test_garbage_is_never_an_event() -> None:
    for shot in shots(3, 500, Shares(garbage=1.0)):
        with pytest.raises(UnreadableEvent):
            parse_event(shot.body)


def test_a_clock_may_mint_the_events_and_traffic_may_be_endless() -> None:
    times = iter([5_000_000_000_000, 4_000_000_000_000, 5_000_000_000_001])

    made = list(islice(shots(4, None, now_ms=lambda: next(times)), 3))

    minted = [minted_ms(parse_event(shot.body).event_id) for shot in made]
    assert minted == [5_000_000_000_000, 5_000_000_000_000, 5_000_000_000_001]


def test_subscription_events_name_their_channel_and_are_spelled_in_two_ways() -> None:
    documents: list[dict[str, Any]] = [orjson.loads(body) for body in generate(10, 20_000)]

    assert any("object_type_type" in document for document in documents)
    assert any(
        (document.get("object_type"), document["metric"]) == ("email", "subscribed")
        for document in documents
    )
