"""Groups: counted as letters come and go, noted, resolved, reopened, forgotten."""

from __future__ import annotations

from collections import Counter

import pytest

from app.core.dead_letter import DeadLetter, about_of
from app.sandbox.traffic import generate
from app.store.connect import Store
from app.store.dead_letters import DeadLetters, Filter
from app.store.dead_letters.groups import Group, GroupFilter, Groups, Order, State
from tests.dead import CAUSES, bury, letter_of, numbered

WHO = "cli:ada"


def made(count: int = 500, causes: int = len(CAUSES)) -> list[DeadLetter]:
    return [
        letter_of(body, at, connection="ab"[at % 2], causes=causes)
        for at, body in enumerate(generate(1, count, body_bytes=300))
    ]


async def every(
    store: Store, wanted: GroupFilter, limit: int = 7, order: Order = Order.LAST
) -> list[Group]:
    found: list[Group] = []
    cursor: str | None = ""
    while cursor is not None:
        part, cursor = await Groups(store).page(wanted, cursor, limit, order)
        assert len(part) <= limit
        found += part
    return found


async def test_groups_say_how_many_since_when_and_what_is_affected(store: Store) -> None:
    known = numbered(given := made(), await bury(store, given))
    marks = {s.number: s.fingerprint async for s in DeadLetters(store).find(Filter())}
    groups = {group.fingerprint: group for group in await every(store, GroupFilter())}

    assert len(groups) == len(CAUSES)
    for mark, group in groups.items():
        letters = [x for x in known if marks[x.summary.number] == mark]
        deaths = [x.summary.dead_ms for x in letters]
        assert (group.first_ms, group.last_ms) == (min(deaths), max(deaths))
        assert (group.ever, group.live) == (len(letters), len(letters))
        assert group.kinds == dict(Counter(x.summary.kind for x in letters))
        assert group.connections == dict(Counter(x.summary.connection for x in letters))
        assert group.versions == dict(Counter(x.summary.mapping for x in letters))
        campaigns = Counter(about_of(x.body).campaign for x in letters)
        del campaigns[""]
        assert group.campaigns == dict(campaigns)


async def test_groups_are_ordered_by_death_or_by_number_and_filtered(store: Store) -> None:
    await bury(store, made(300))
    by_death = await every(store, GroupFilter())
    by_count = await every(store, GroupFilter(), order=Order.LIVE)

    assert [g.last_ms for g in by_death] == sorted((g.last_ms for g in by_death), reverse=True)
    assert [g.live for g in by_count] == sorted((g.live for g in by_count), reverse=True)
    assert {g.fingerprint for g in by_death} == {g.fingerprint for g in by_count}
    dates = await every(store, GroupFilter(text="NO DATE"))
    assert len(dates) == 8
    assert {g.cause.code for g in dates} == {"bad_date"}
    contract = await every(store, GroupFilter(failure="contract"))
    assert {g.cause.failure for g in contract} == {"contract"}
    assert await every(store, GroupFilter(connection="nobody")) == []


async def test_counts_follow_what_is_replayed_and_discarded(store: Store) -> None:
    numbers = await bury(store, made(60, causes=1))
    letters = DeadLetters(store)
    await letters.replay(numbers[:20], 1)
    await letters.discard(await letters.summaries(numbers[20:40]))
    [group] = await every(store, GroupFilter())
    assert (group.ever, group.live, group.connections) == (60, 20, {"a": 10, "b": 10})
    await letters.replay(numbers, 1)
    assert await every(store, GroupFilter()) == []
    [empty] = await every(store, GroupFilter(empty=True))
    assert (empty.ever, empty.live, empty.kinds) == (60, 0, {})


async def test_a_resolved_group_is_reopened_by_its_next_letter_and_keeps_its_note(
    store: Store,
) -> None:
    given = made(2, causes=1)
    await bury(store, given[:1])
    groups = Groups(store)
    [group] = await every(store, GroupFilter())
    assert (group.state, group.note) == (State.NEW, "")

    assert await groups.note(group.fingerprint, "ask Platform's team", WHO, 5)
    assert await groups.mark(group.fingerprint, State.KNOWN, WHO, 6)
    await bury(store, given[1:])
    [group] = await every(store, GroupFilter(state=State.KNOWN))
    assert await groups.mark(group.fingerprint, State.RESOLVED, WHO, 7)
    [group] = await every(store, GroupFilter(state=State.RESOLVED))
    assert (group.state_by, group.state_ms) == (WHO, 7)

    await bury(store, given[1:])
    [group] = await every(store, GroupFilter(state=State.REOPENED))
    assert group.state_ms == given[1].summary.dead_ms
    assert (group.note, group.note_by, group.note_ms) == ("ask Platform's team", WHO, 5)


async def test_nothing_is_noted_of_a_group_that_is_none(store: Store) -> None:
    groups = Groups(store)
    assert not await groups.note("0" * 16, "x", WHO, 1)
    assert not await groups.mark("0" * 16, State.KNOWN, WHO, 1)
    assert await groups.get(["0" * 16]) == []


async def test_a_group_without_letters_is_forgotten_after_its_time_and_no_other_is(
    store: Store,
) -> None:
    given = made(80)
    numbers = await bury(store, given)
    last = max(letter.summary.dead_ms for letter in given)
    letters, groups = DeadLetters(store), Groups(store)
    await letters.discard(await letters.summaries(numbers[:-1]))

    assert await groups.forget(1) == 0
    assert await groups.forget(last + 1) == len(CAUSES) - 1
    assert len(await every(store, GroupFilter(empty=True))) == 1


async def test_a_beginning_names_a_group(store: Store) -> None:
    await bury(store, made(80))
    [first, *_] = await every(store, GroupFilter())
    groups = Groups(store)
    assert await groups.resolve_prefix(first.fingerprint[:12]) == [first.fingerprint]
    assert len(await groups.resolve_prefix("")) == len(CAUSES)
    with pytest.raises(ValueError, match="no cursor"):
        await groups.page(GroupFilter(), "x")
