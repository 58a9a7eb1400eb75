"""`sluice backfill`, as somebody types it, on a real server: what is missing, and what is put."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import orjson
import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.core.batch import decode, encode_received
from app.core.dead_letter import DeadLetter, DeadLetterSummary
from app.core.errors import ConfigError, SluiceError
from app.core.event import SEND_TEST_EVENT_ID
from app.store import keys
from app.store.batches import Batches
from app.store.claims import Claims
from app.store.connect import Store, open_store
from app.store.dead_letters import DeadLetters
from tests.conftest import RedisServer

T = TypeVar("T")
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
DAY_MS = 86_400_000


class Answer(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def summary(self) -> dict[str, Any]:
        return dict(json.loads(self.out.splitlines()[-1])["summary"])

    @property
    def missing(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()[:-1]]


def backfill(file: Path | str, *words: str, body: bytes = b"") -> Answer:
    """The command with faults handled as `python -m app` does."""
    command = ["backfill", str(file), "--connection", "example", *words]
    result = CliRunner().invoke(cli, command, input=body)
    code, err = result.exit_code, result.stderr
    if isinstance(result.exception, SluiceError):
        code = 2 if isinstance(result.exception, ConfigError) else 1
        err += str(result.exception)
    elif result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Answer(code, result.stdout, err)


@pytest.fixture(autouse=True)
def _redis(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_REDIS_URL", redis_url)


@pytest.fixture
def ask(redis_url: str) -> Callable[[Callable[[Store], Awaitable[T]]], T]:
    def run(do: Callable[[Store], Awaitable[T]]) -> T:
        async def opened() -> T:
            store = open_store(redis_url)
            try:
                return await do(store)
            finally:
                await store.aclose(close_connection_pool=True)

        return asyncio.run(opened())

    return run


def new_id(days_ago: float = 0) -> str:
    ms = int(time.time() * 1000 - days_ago * DAY_MS)
    number = int.from_bytes(ms.to_bytes(6, "big") + os.urandom(10), "big")
    return "".join(CROCKFORD[(number >> shift) & 31] for shift in range(125, -1, -5))


def event(event_id: str, timestamp: int | None = None) -> bytes:
    # A space and a key order that a decoder would not give back.
    return (
        f'{{"metric": "sent", "object_type":"email","event_id":"{event_id}",'
        f'"timestamp":{timestamp or int(time.time())},"data":{{"n":1.0}}}}'
    ).encode()


def write(tmp_path: Path, *lines: bytes, name: str = "export.ndjson") -> Path:
    path = tmp_path / name
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def rows_csv(*rows: tuple[str, ...]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode().removesuffix(b"\n")


async def queued(store: Store) -> list[bytes]:
    found: list[bytes] = []
    for batch_id, _ in await Batches(store).open_ids():
        frame = await store.get(f"{keys.BATCH_PREFIX}{batch_id}")
        found += decode(frame).bodies
    return found


async def contents(store: Store) -> dict[bytes, bytes | None]:
    return {key: await store.dump(key) for key in await store.keys("*")}


def forms(ids: list[str]) -> dict[str, bytes]:
    bodies = [event(each) for each in ids]
    return {
        "bodies.ndjson": b"\n\n".join(bodies),
        "ids.ndjson": b"\n".join(orjson.dumps({"event_id": each}) for each in ids),
        "strings.ndjson": b"\n".join(orjson.dumps(each) for each in ids),
        "plain.txt": "\r\n".join(ids).encode(),
        "array.json": b" [\n " + b" ,\n".join(bodies) + b"\n]\n",
        "array-of-ids.json": orjson.dumps(ids),
        "ids.csv": rows_csv(("event_id",), *((each,) for each in ids)),
        "column.txt": b"\xef\xbb\xbfevent_id\n" + "\n".join(ids).encode(),
        "bodies.csv": rows_csv(
            ("name", "event_id", "body"),
            *(("x,\ny", each, body.decode()) for each, body in zip(ids, bodies, strict=True)),
        ),
    }


@pytest.mark.parametrize("name", forms([]))
def test_every_form_says_what_is_missing(
    name: str, tmp_path: Path, ask: Callable[..., Any]
) -> None:
    ids = [new_id() for _ in range(4)]
    ask(lambda store: Claims(store).claim("example", 1, [(each, 0) for each in ids[:3]]))
    file = write(tmp_path, forms(ids)[name], name=name)

    told = backfill(file, "--json")

    with_bodies = "bodies" in name or name == "array.json"
    assert told.code == 1
    assert [each["missing"] for each in told.missing] == [ids[3]]
    summary = told.summary
    assert (summary["read"], summary["arrived"], summary["unreadable"]) == (4, 3, 0)
    assert summary["missing_with_body"] == int(with_bodies)
    assert summary["missing_without_body"] == int(not with_bodies)
    if not file.name.endswith(".csv"):
        assert backfill("-", "--json", body=file.read_bytes()).out == told.out


def test_claimed_waiting_and_dead_have_arrived_and_what_is_forgotten_is_unknown(
    tmp_path: Path, ask: Callable[..., Any]
) -> None:
    claimed, waiting, dead, missing = (new_id() for _ in range(4))
    old, old_waiting = new_id(11), new_id(11)
    now = int(time.time())

    async def prepare(store: Store) -> None:
        await Claims(store).claim("example", 1, [(claimed, 0), ("no-ulid", now)])
        await Claims(store).claim("other", 1, [(missing, 0)])
        frame = encode_received([event(waiting), event(old_waiting)], [1, 1])
        await Batches(store).commit("example", frame, 2)
        summary = DeadLetterSummary(
            number=1, connection="example", hour=1, received_ms=1, dead_ms=1, failure="contract",
            code="c", path="", detail="", kind="email.sent", event_id=dead, stage="", row="",
        )  # fmt: skip
        await DeadLetters(store).put([DeadLetter(summary, event(dead), None, ())])

    ask(prepare)
    before = ask(contents)
    lines = [each.encode() for each in (claimed, waiting, dead, missing, old, old_waiting)]
    lines += [b'{"event_id":"no-ulid","timestamp":%d}' % now, event("no-ulid-old", 1_600_000_000)]
    lines += [b"no-ulid-and-no-time", event("no-ulid-new"), SEND_TEST_EVENT_ID.encode()]

    told = backfill(write(tmp_path, *lines))

    assert told.code == 1
    assert told.out.split() == [missing, "no-ulid-new"]
    counts = {line[:22].strip(): line[22:].strip() for line in told.err.splitlines()}
    assert counts["read"] == "11"
    assert counts["arrived"] == "5"
    assert counts["unknown"] == "3"
    assert counts["tests"] == "1"
    assert "SLUICE_CLAIM_WINDOW_DAYS" in told.err
    assert ask(contents) == before


def test_put_puts_exactly_the_missing_ones_with_bodies_and_twice_is_harmless(
    tmp_path: Path, ask: Callable[..., Any]
) -> None:
    there, *missing = (new_id() for _ in range(4))
    ask(lambda store: Claims(store).claim("example", 1, [(there, 0)]))
    lines = [event(each) for each in (there, *missing, new_id(30))]
    file = write(tmp_path, *lines)

    told = backfill(file, "--put", "--yes", "--batch-events", "2")

    assert told.code == 0
    assert told.out.split() == missing
    assert sorted(ask(queued)) == sorted(lines[1:4])
    assert len(ask(lambda store: Batches(store).open_ids())) == 2
    rows = ask(lambda store: store.keys(keys.ledger_prefix("example") + "*"))
    received = [int(ask(lambda store, row=row: store.hget(row, "received"))) for row in rows]
    assert sum(received) == 3

    again = backfill(file, "--put", "--json")

    assert again.code == 0
    assert (again.summary["arrived"], again.summary["put"]) == (4, 0)
    assert len(ask(queued)) == 3


def test_put_leaves_what_has_no_body_and_says_so(tmp_path: Path, ask: Callable[..., Any]) -> None:
    bare, other = new_id(), new_id()
    bodies = rows_csv(
        ("id", "json", "timestamp"),
        (bare, "", ""),
        (other, event(bare).decode(), ""),
    )
    file = write(tmp_path, bodies, name="export.csv")

    told = backfill(file, "--put", "--json", "--id-column", "id", "--body-column", "json")

    assert told.code == 1
    assert told.summary["missing_without_body"] == 2
    assert told.summary["faults"] == [
        {"row": 3, "fault": "its body is of an event with another id"}
    ]
    assert ask(queued) == []


def test_broken_lines_are_told_and_the_rest_goes_on(
    tmp_path: Path, ask: Callable[..., Any]
) -> None:
    good, broken = event(new_id()), new_id()
    lines = [b"{broken", b"[1]", b"two words", b'{"data":{}}', b"\xff\xfe", b"{" + b"x" * 5_000_000]
    no_event = orjson.dumps({"event_id": broken, "metric": "sent"})

    told = backfill(write(tmp_path, good, *lines, no_event, b""), "--put", "--json")

    assert told.code == 1
    assert told.summary["unreadable"] == 6
    assert told.summary["broken_bodies"] == told.summary["missing_without_body"] == 1
    assert [each["row"] for each in told.summary["faults"]] == [2, 3, 4, 5, 6, 7, 8]
    assert ask(queued) == [good]


@pytest.mark.parametrize(
    ("content", "name", "words", "wanted"),
    [
        (b"event_ids,body\nx,y\n", "a.csv", (), "did you mean event_ids?"),
        (b"event_id,body\nx,y\n", "a.csv", ("--body-column", "bodi"), "did you mean body?"),
        (b'["a"', "a.json", (), "is no JSON array"),
        (b'["a" "b"]', "a.json", (), "is no JSON array"),
        (b"[" * 100_000, "a.json", (), "is no JSON array"),
        (b"a", "a.txt", ("--connection", "exampel"), "did you mean example?"),
    ],
)
def test_wrong_use(
    content: bytes, name: str, words: tuple[str, ...], wanted: str, tmp_path: Path
) -> None:
    told = backfill(write(tmp_path, content, name=name), *words)
    assert told.code == 2
    assert wanted in told.err


def test_standard_input_cannot_be_asked() -> None:
    told = backfill("-", "--put", body=event(new_id()))
    assert told.code == 2
    assert backfill("nowhere.csv").code == 2


def test_a_full_store_stops_it_and_it_can_go_on_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ask: Callable[..., Any]
) -> None:
    lines = [event(new_id()) for _ in range(5)]
    file = write(tmp_path, *lines)
    monkeypatch.setenv("SLUICE_BACKLOG_MAX_EVENTS", "1")

    told = backfill(file, "--put", "--yes", "--batch-events", "2")

    assert told.code == 1
    assert "SLUICE_BACKLOG_MAX_EVENTS" in told.err
    assert "nothing comes in twice" in told.err
    assert len(ask(queued)) == 2

    monkeypatch.setenv("SLUICE_BACKLOG_MAX_EVENTS", "100")
    assert backfill(file, "--put", "--yes").code == 0
    assert sorted(ask(queued)) == sorted(lines)


def test_redis_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_redis: RedisServer
) -> None:
    monkeypatch.setenv("SLUICE_REDIS_URL", own_redis.url)
    own_redis.kill()
    told = backfill(write(tmp_path, event(new_id())), "--put", "--yes")
    assert told.code == 1
    assert "SLUICE_REDIS_URL" in told.err
