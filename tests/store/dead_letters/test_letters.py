"""Dead letters against a real server: found by any field, taken away without a trace."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from app.core.batch import decode
from app.core.dead_letter import DeadLetter, about_of
from app.sandbox.traffic import generate
from app.store import keys
from app.store.batches import Batches
from app.store.connect import Store, open_store
from app.store.dead_letters import DeadLetters, Filter, pages
from app.store.dead_letters.files import SpillFiles
from app.store.dead_letters.fsck import Fsck
from app.store.dead_letters.groups import Groups
from app.store.dead_letters.spilling import Spilling
from app.store.ledger import Ledger
from tests.conftest import RedisServer
from tests.dead import CAUSES, LABELS, START_MS, bury, letter_of, numbered

CONNECTIONS = ("a", "b")


def made(count: int, seed: int = 1) -> list[DeadLetter]:
    return [
        letter_of(body, at, connection=CONNECTIONS[at % 3 == 0])
        for at, body in enumerate(generate(seed, count, body_bytes=400))
    ]


async def found(letters: DeadLetters, wanted: Filter) -> list[int]:
    return [letter.number async for letter in letters.find(wanted)]


async def test_letters_are_read_back_whole_newest_first(store: Store) -> None:
    letters, given = DeadLetters(store), made(30)
    numbers = await bury(store, given)
    wanted = numbered(given, numbers)

    assert await letters.get(numbers) == wanted
    assert await letters.get([numbers[3], 999, numbers[1]]) == [wanted[3], wanted[1]]
    summaries = [each async for each in letters.find(Filter())]
    assert summaries == [letter.summary for letter in reversed(wanted)]
    assert [each.campaign for each in summaries] == [
        about_of(letter.body).campaign for letter in reversed(wanted)
    ]
    counts = [await letters.count(name) for name in (*CONNECTIONS, "nobody")]
    assert counts == [20, 10, 0]


async def test_any_combination_of_fields_finds_exactly_what_a_look_at_each_finds(
    store: Store,
) -> None:
    letters, given, chance = DeadLetters(store), made(1_300), random.Random(3)
    known = numbered(given, await bury(store, given))
    gone = set(chance.sample(range(len(known)), 400))
    assert await letters.discard([known[at].summary for at in gone]) == 400
    left = [letter for at, letter in enumerate(known) if at not in gone]
    shown = {s.number: s async for s in letters.find(Filter())}

    for _ in range(60):
        like = chance.choice(known)
        fields = {
            "connection": like.summary.connection,
            "failure": like.summary.failure,
            "kind": like.summary.kind,
            "code": like.summary.code,
            "mapping": chance.choice([like.summary.mapping, "customerio-default@3"]),
            "campaign": about_of(like.body).campaign,
            "event_id": like.summary.event_id,
            "person": about_of(like.body).people[0].upper(),
            "died_after_ms": START_MS + chance.randrange(1_300_000),
            "died_before_ms": START_MS + chance.randrange(1_300_000),
        }
        names = chance.sample(sorted(fields), chance.randrange(1, 4))
        wanted = Filter(**{name: fields[name] for name in names})
        expected = [letter.summary.number for letter in reversed(left) if _fits(letter, wanted)]
        assert await found(letters, wanted) == expected, wanted
        mark = Filter(fingerprint=shown[left[0].summary.number].fingerprint)
        assert set(await found(letters, mark)) == {
            number for number, s in shown.items() if s.fingerprint == mark.fingerprint
        }


def _fits(letter: DeadLetter, wanted: Filter) -> bool:
    about, ms = about_of(letter.body), letter.summary.dead_ms
    people = [person.lower() for person in about.people]
    return (
        replace(wanted, campaign=None).wants(letter.summary)
        and wanted.connection in (None, letter.summary.connection)
        and wanted.campaign in (None, about.campaign)
        and (wanted.person is None or wanted.person.lower() in people)
        and (wanted.died_after_ms or 0) <= ms <= (wanted.died_before_ms or ms)
    )


async def test_pages_follow_each_other_without_gap_or_double_while_letters_come_and_go(
    store: Store,
) -> None:
    letters = DeadLetters(store)
    numbers = await bury(store, made(700))
    seen: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await letters.page(Filter(), cursor, 64)
        seen += [letter.number for letter in page.letters]
        cursor = page.cursor
        await bury(store, made(3, seed=9))
        await letters.discard(page.letters[:5])
    assert seen == numbers[::-1]


async def test_a_frozen_selection_ends_at_its_cut_off_and_ascends(store: Store) -> None:
    letters = DeadLetters(store)
    numbers = await bury(store, made(600))
    cut_off = await letters.last_number()
    await bury(store, made(600))
    seen: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        part, cursor = await letters.numbers(Filter(), cut_off, cursor, 100)
        seen += part
    assert seen == numbers


async def test_a_person_with_many_letters_is_found_and_leaves_no_trace(store: Store) -> None:
    letters = DeadLetters(store)
    bodies = [b'{"event_id":"e%d","data":{"customer_id":"bot"}}' % at for at in range(700)]
    numbers = await bury(store, [letter_of(body, at) for at, body in enumerate(bodies)])

    assert await found(letters, Filter(person="BOT")) == numbers[::-1]
    assert await found(letters, Filter(person="bot", event_id="e9")) == [numbers[9]]
    assert await found(letters, Filter(person="bo")) == []
    assert await letters.discard(await letters.summaries(numbers)) == 700
    assert await found(letters, Filter(person="bot")) == []


async def test_pages_get_on_however_little_work_one_may_do(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters = DeadLetters(store)
    bodies = [b'{"event_id":"e%d","data":{"customer_id":"bot"}}' % at for at in range(600)]
    numbers = await bury(store, [letter_of(body, at) for at, body in enumerate(bodies)])
    codes = {s.number: s.code async for s in letters.find(Filter())}
    monkeypatch.setattr(pages, "WORK", 3)

    for wanted in (Filter(person="bot"), Filter(code="type"), Filter(text="no date"), Filter(),
                   Filter(person="bot", code="type"), Filter(person="bot", kind="none"),
                   Filter(died_after_ms=START_MS + 300_000)):  # fmt: skip
        expected = everything(wanted, codes, numbers)
        for ascending in (False, True):
            seen: list[int] = []
            cursor: str | None = ""
            for _ in range(5_000):
                page = await letters._pages.read(wanted, cursor or "", 50, ascending=ascending)
                assert page.looked <= 3
                seen += [letter.number for letter in page.letters]
                cursor = page.cursor
                if cursor is None:
                    break
            assert cursor is None
            assert seen == (expected if ascending else expected[::-1])


def everything(wanted: Filter, codes: dict[int, str], numbers: list[int]) -> list[int]:
    """What a look at each finds, of letters of one person that die one a second."""
    if wanted.kind:
        return []
    after = wanted.died_after_ms or 0
    code = "bad_date" if wanted.text else wanted.code
    return [
        number
        for at, number in enumerate(numbers)
        if code in (None, codes[number]) and START_MS + at * 1_000 >= after
    ]


async def test_nothing_but_causes_is_left_of_letters_that_went(store: Store) -> None:
    letters = DeadLetters(store)
    numbers = await bury(store, made(300))
    half = numbers[::2]
    batches = await letters.replay(half, START_MS)
    assert await letters.discard(await letters.summaries(numbers)) == 150

    assert sum(int(batch.split(":")[2]) for batch in batches) == 150
    left = {str(key, "ascii") for key in await store.keys(f"{keys.DEAD}*")}
    assert {key for key in left if ":group" not in key} == {keys.DEAD_PERSON_KEY, keys.DEAD_BYTES}
    assert await store.get(keys.DEAD_BYTES) == b"0"
    balance = await Ledger(store).read()
    assert balance.faults == ()
    totals = [(r.received, r.dead, r.discarded, r.in_flight) for r in balance.totals()]
    assert [sum(column) for column in zip(*totals, strict=True)] == [300, 0, 150, 150]


async def test_a_replay_leaves_out_what_is_gone_and_puts_the_rest_whole(store: Store) -> None:
    letters, given = DeadLetters(store), made(6)
    numbers = await bury(store, given)
    await letters.discard(await letters.summaries(numbers[:2]))
    batches = await letters.replay([*numbers, *numbers], START_MS)

    frames = [decode(await store.get(f"{keys.BATCH_PREFIX}{each}") or b"") for each in batches]
    bodies = [body for frame in frames for body in frame.bodies]
    assert sorted(bodies) == sorted(letter.body for letter in given[2:])
    assert await letters.replay(numbers, START_MS) == []
    assert (await Batches(store).pressure()).backlog_events == 4


async def test_a_damaged_summary_harms_no_other_letter(store: Store) -> None:
    letters = DeadLetters(store)
    numbers = await bury(store, made(5))
    await store.hset(keys.dead_bucket(numbers[2]), str(numbers[2]), b"\xc1")  # type: ignore[misc]

    assert await found(letters, Filter()) == [numbers[4], numbers[3], numbers[1], numbers[0]]
    assert await letters.get(numbers[2:3]) == []
    assert sum(int(b.split(":")[2]) for b in await letters.replay(numbers, START_MS)) == 4
    assert await store.hexists(keys.DEAD_PAYLOADS, str(numbers[2]))  # type: ignore[misc]


async def test_made_up_kinds_do_not_grow_a_group_without_bound(store: Store) -> None:
    letters = DeadLetters(store)
    bodies = [b'{"object_type":"k%d","metric":"%s"}' % (at, b"x" * at) for at in range(600)]
    numbers = await bury(store, [letter_of(body, at, causes=1) for at, body in enumerate(bodies)])
    [mark] = {s.fingerprint for s in await letters.summaries(numbers)}
    assert await store.hlen(keys.dead_group(mark)) < 220  # type: ignore[misc]
    kind = (await letters.summaries(numbers[-1:]))[0].kind
    assert len(kind) == 128
    assert await found(letters, Filter(kind=kind)) == numbers[-1:]
    await letters.discard(await letters.summaries(numbers))
    fields = await store.hkeys(keys.dead_group(mark))  # type: ignore[misc]
    assert [field for field in fields if field.startswith(b"k:")] == []


async def test_one_batch_of_nothing_but_made_up_kinds_and_campaigns_is_taken(
    store: Store,
) -> None:
    body = '{"event_id":"e%d","object_type":"k%d","metric":"x","data":{"campaign_id":%d}}'
    given = [letter_of((body % (at, at, at)).encode(), at, causes=1) for at in range(5_000)]
    letters = DeadLetters(store)
    numbers = await letters.put(given)
    assert await found(letters, Filter(kind="k4321.x")) == [numbers[4321]]
    assert await found(letters, Filter(campaign="campaign:77")) == [numbers[77]]
    assert await letters.discard(await letters.summaries(numbers)) == 5_000
    assert await store.get(keys.DEAD_BYTES) == b"0"


async def test_the_oldest_redis_that_is_supported_can_do_all_of_it(
    debian_redis: RedisServer, tmp_path: Path
) -> None:
    debian_redis.flush()
    redis = open_store(debian_redis.url, data_dir=tmp_path)
    letters, given = DeadLetters(redis), made(700)
    numbers = await bury(redis, given)
    person = about_of(given[600].body).people[0]
    wanted = Filter(person=person, failure=given[600].summary.failure, died_before_ms=2 * START_MS)
    assert numbers[600] in await found(letters, wanted)
    assert await Spilling(redis, 100_000, SpillFiles(tmp_path)).step() is not None
    assert [each async for each in Fsck(redis, mend=True).run()] == []
    assert await letters.get(numbers) == numbered(given, numbers)
    await letters.replay(numbers[:300], START_MS)
    await letters.discard(await letters.summaries(numbers))
    assert (await Ledger(redis).read()).faults == ()
    assert await Groups(redis).forget(2 * START_MS) == len(CAUSES)
    left = {str(key, "ascii") for key in await redis.keys(f"{keys.DEAD}*")}
    assert left == {keys.DEAD_PERSON_KEY, keys.DEAD_BYTES, keys.DEAD_FILES, keys.DEAD_FILE_NUMBER}
    await redis.aclose(close_connection_pool=True)


async def test_a_cursor_that_is_none_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="no cursor"):
        await DeadLetters(store).page(Filter(), "1; x")


async def test_versions_are_found_by_label_and_by_their_beginning(store: Store) -> None:
    letters = DeadLetters(store)
    numbers = await bury(store, made(10))
    assert await found(letters, Filter(mapping=LABELS[0])) == numbers[::2][::-1]
    assert await found(letters, Filter(mapping="customerio-default@4")) == numbers[1::2][::-1]
    assert await found(letters, Filter(mapping="customerio-default")) == numbers[::-1]


async def test_what_died_again_in_a_run_is_found_by_an_index_and_counted_in_no_group(
    store: Store,
) -> None:
    letters, given = DeadLetters(store), made(2_000)
    for at in (7, 1_500):
        given[at] = replace(given[at], summary=replace(given[at].summary, replays=1, run=12))
    numbers = await bury(store, given)

    page = await letters.page(Filter(run=12))

    assert [letter.number for letter in page.letters] == [numbers[1_500], numbers[7]]
    assert page.looked == 2, "no other letter was looked at"
    assert (await letters.page(Filter(run=3))).looked == 0
    assert await found(letters, Filter(run=12, connection="a", event_id="none")) == []
    assert [finding async for finding in Fsck(store).run()] == []
    fields = await store.hkeys(keys.dead_group(page.letters[0].fingerprint))
    assert b"live" in fields and not any(name.startswith(b"r:") for name in fields)
    assert await letters.discard(page.letters) == 2
    assert await store.keys(f"{keys.DEAD}i:r:*") == []
    assert await found(letters, Filter(run=12)) == []
