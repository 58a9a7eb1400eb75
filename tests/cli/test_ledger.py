"""`sluice ledger`: three columns that must meet, for people and for machines."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from arq.connections import ArqRedis

from app.core.batch import encode_received
from app.store import keys
from app.store.batches import Batches
from app.store.lake import Lake, LakeHour
from app.store.settlement import Settlement
from tests.cli.test_main import ROOT, sluice


class Books:
    """A ledger of one connection, `example`, written as its workers would, and the command."""

    def __init__(self, store: ArqRedis, url: str, config: Path) -> None:
        self.store = store
        self.url = url
        self.config = config
        self.lake = Lake(store, "w")
        self.hour = 0

    async def deliver(self, count: int, hours_ago: int = 0) -> None:
        """Events received now, and accepted by Platform so long ago."""
        batches = Batches(self.store, "w")
        name = await batches.commit("example", encode_received([b"{}"] * count, [1] * count), count)
        [taken], _ = await batches.take([name])
        assert await batches.settle(taken.batch_id, Settlement(delivered=count))
        [(hour, number)] = (await self.store.hgetall(keys.edge("example"))).items()
        await self.store.hdel(keys.edge("example"), hour)
        self.hour = int(hour)
        await self.store.hset(keys.edge("example"), str(self.hour - hours_ago), int(number))

    async def looked(self, error: str = "", **landed: LakeHour) -> None:
        """A look at Platform; `h4`: what the runs of four hours ago say."""
        begun = await self.lake.begin("example", 0, 1_000)
        assert begun is not None
        hours = {self.hour - int(name[1:]): said for name, said in landed.items()}
        await self.lake.put("example", hours)
        if error:
            await self.lake.failed("example", error)
        else:
            await self.lake.done("example", begun.now_ms)

    def said(self, *words: str) -> tuple[int, str]:
        environ = {"SLUICE_REDIS_URL": self.url, "SLUICE_CONFIG_DIR": str(self.config)}
        if words[0] == "doctor":  # the ledger does without secrets
            environ["CLIENT_SECRET"] = "s"
        found = sluice(*words, **environ)
        return found.returncode, (found.stdout + found.stderr).decode()

    def document(self, *words: str) -> tuple[int, Any]:
        code, text = self.said("ledger", "--json", *words)
        return code, json.loads(text)


@pytest.fixture
def books(store: ArqRedis, redis_url: str, tmp_path: Path) -> Books:
    config = Path(shutil.copytree(ROOT / "config", tmp_path / "config"))
    path = config / "connections" / "example.yaml"
    document = yaml.safe_load(path.read_text())
    credentials: dict[str, Any] = {"client_id": "c", "client_secrets": [{"env": "CLIENT_SECRET"}]}
    # Nobody is called there but by the doctor.
    credentials["ims_url"] = "http://127.0.0.1:1/ims/token/v3"
    document["platform"]["credentials"] = credentials
    path.write_text(yaml.safe_dump(document))
    return Books(store, redis_url, config)


async def test_three_columns_that_meet(books: Books) -> None:
    await books.deliver(5, 4)
    await books.looked(h4=LakeHour(4, 1, 1))
    await books.store.hset(keys.look("example"), "buried", 1)

    code, found = books.document("--check")
    [row] = found["rows"]
    assert (code, row["received"], row["accepted"]) == (0, 5, 5)
    assert (row["landed"], row["refused_later"], row["verdict"]) == (4, 1, "meets")
    assert re.search(r"^ok +lake +Platform was asked", books.said("doctor")[1], re.M)
    code, text = books.said("ledger")
    assert (code, "meets" in text, "adds up" in text) == (0, True, True)
    for title in ("acknowledged", "accepted by the edge", "landed in the lake", "refused later"):
        assert title in text


@pytest.mark.parametrize(
    ("hours_ago", "landed", "code", "verdict", "words"),
    [
        (0, {}, 0, "not_due", "5 not due yet"),
        (4, {}, 0, "late", "5 late"),
        (26, {}, 1, "run_missing", "run missing, 5 open"),
        (4, {"h4": LakeHour(3, 1, 1)}, 1, "short", "short by 1"),
        (4, {"h4": LakeHour(10, 0, 1)}, 0, "more", "5 more than we sent"),
        (4, {"h4": LakeHour(2, 0, 1), "h3": LakeHour(3, 0, 1)}, 0, "meets", "meets"),
        # Further back than Platform remembers, nothing is judged any more.
        (24 * 31, {}, 0, "meets", "meets"),
    ],
)
async def test_what_did_not_land_is_said_and_checked(
    books: Books, hours_ago: int, landed: dict[str, LakeHour], code: int, verdict: str, words: str
) -> None:
    await books.deliver(5, hours_ago)
    await books.looked(**landed)

    found = books.document("--check")
    assert (found[0], found[1]["rows"][0]["verdict"]) == (code, verdict)
    assert found[1]["balanced"]
    said = books.said("ledger")[1]
    assert words in said
    assert ("DID NOT LAND" in said) == bool(code)


async def test_an_hour_has_its_own_verdict(books: Books) -> None:
    await books.deliver(5, 4)
    await books.looked(h4=LakeHour(2, 0, 1), h1=LakeHour(1, 0, 1), h9=LakeHour(1, 0, 1))

    code, found = books.document("--hours", "--check")
    rows = [
        (row["received"], row["accepted"], row["landed"], row["verdict"], row["verdict_events"])
        for row in found["rows"]
    ]
    assert code == 1
    assert rows == [
        (0, 5, 2, "short", 3), (0, 0, 1, "more", 1), (5, 0, 0, None, None),
    ]  # fmt: skip
    assert "short by 3" in books.said("ledger", "--hours")[1]


async def test_where_nobody_asked_the_old_meaning_holds(books: Books) -> None:
    await books.deliver(5, 26)
    code, found = books.document("--check")
    [row] = found["rows"]
    assert (code, row["accepted"], row["landed"], row["verdict"]) == (0, 5, None, None)
    assert "not asked yet" in books.said("ledger")[1]
    assert "not asked yet" in books.said("doctor")[1]


async def test_without_credentials_it_is_said_that_nobody_asks(
    store: ArqRedis, redis_url: str
) -> None:
    books = Books(store, redis_url, ROOT / "config")
    await books.deliver(5)
    code, text = books.said("ledger", "--check")
    assert (code, "only with platform.credentials" in text) == (0, True)
    assert "only with platform.credentials" in books.said("doctor")[1]


async def test_trouble_with_platform_is_said(books: Books) -> None:
    await books.deliver(5, 4)
    await books.looked(error="GET /x: 403 2118-403; add the credential to a role")
    for command in ("ledger", "doctor"):
        said = books.said(command)[1]
        assert "add the credential to a role" in said
    assert re.search(r"^warning +lake +Platform cannot be asked", said, re.M)
    code, found = books.document("--check")
    assert (code, found["rows"][0]["verdict"]) == (0, "unseen")
    assert found["platform"]["example"]["asked"] is None


async def test_counters_that_differ_from_the_runs_are_said(books: Books) -> None:
    await books.deliver(5, 6)
    await books.looked(h6=LakeHour(5, 0, 1, True, 5, 5))
    assert "counters" not in books.said("ledger")[1]
    await books.looked(h6=LakeHour(5, 0, 1, True, 5, 4))
    assert "1 hour(s): Platform's counters and its runs say different" in books.said("ledger")[1]


async def test_failed_records_that_are_nowhere_are_said(books: Books) -> None:
    await books.deliver(5, 4)
    await books.looked(h4=LakeHour(3, 2, 1))
    code, found = books.document("--check")
    assert (code, found["rows"][0]["verdict"]) == (1, "unfound")
    assert "DID NOT LAND: example: 2 refused later, in no file" in books.said("ledger")[1]
