"""The list of what Customer.io publishes agrees with itself and with the bodies that are known."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.core.event import parse_event
from app.core.published import LEGACY, PREFERENCES, PUBLISHED, WITHOUT_SCHEMA
from app.sandbox.traffic import every_kind

FIXTURES = Path(__file__).parents[1] / "fixtures" / "customerio"
BODIES = sorted(p for p in FIXTURES.iterdir() if p.suffix in (".json", ".raw"))


def places(value: Any, path: str = "") -> Iterator[str]:
    """The path of every leaf; an object that is data to its field (headers) is a leaf."""
    if isinstance(value, dict) and path not in ("data.headers", "data.variables.customer"):
        for name, child in value.items():
            yield from places(child, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for child in value:
            yield from places(child, f"{path}[*]")
    else:
        yield path


def covered(path: str, published: tuple[str, ...]) -> bool:
    return any(path == known or path.startswith(known + ".") for known in published)


def test_the_pairs_are_those_of_section_4() -> None:
    families = Counter(family for family, _ in PUBLISHED)

    assert families == {
        "customer": 3, "email": 14, "push": 11, "in_app": 8, "sms": 11, "whatsapp": 12,
        "slack": 7, "webhook": 7,
    }  # fmt: skip
    assert len(PUBLISHED) == 73
    assert len(PUBLISHED.keys() - WITHOUT_SCHEMA) == 69


def test_a_kind_names_each_of_its_fields_once() -> None:
    for kind, paths in PUBLISHED.items():
        assert len(set(paths)) == len(paths), kind
        assert {"event_id", "metric", "timestamp", "object_type"} <= set(paths), kind


def test_a_preference_change_may_spell_its_family_in_three_ways_and_is_never_transactional() -> (
    None
):
    paths = PUBLISHED["customer", PREFERENCES]

    assert {"object_type", "object_type_type", "delivery_type", "data.content"} <= set(paths)
    assert "data.transactional_message_id" not in paths


def test_an_email_s_unsubscription_may_be_a_person_s() -> None:
    assert "data.email_address" in PUBLISHED["email", "unsubscribed"]
    assert "data.email_address" not in PUBLISHED["email", "sent"]


@pytest.mark.parametrize("body", BODIES, ids=lambda p: p.stem)
def test_the_list_has_every_field_of_the_known_bodies(body: Path) -> None:
    event = parse_event(body.read_bytes())
    published = LEGACY if body.stem.startswith("legacy-") else PUBLISHED[event.family, event.metric]

    assert [p for p in places(event.document) if not covered(p, published)] == []


def test_the_list_has_every_field_that_the_sandbox_sends() -> None:
    for body in every_kind(1):
        source = json.loads(body)
        published = PUBLISHED[source["object_type"], source["metric"]]

        assert [p for p in places(source) if not covered(p, published)] == []
