"""Keys given to a live connection, wrong ones too: what Customer.io signs is believed all the time,
whatever is given, in whatever order, and whenever the command is killed."""

from __future__ import annotations

import os
import random
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from arq import ArqRedis

from app.cli.connection.apply import key_given
from app.connect.plan import Plan
from app.connect.steps.local import KeyMissing
from app.core.errors import ConfigError
from app.sandbox.defaults import SIGNING_KEY
from app.settings.secrets import read_secret
from app.store.signatures import Seen, SignatureNotes, Signatures
from tests.connect.stage import Killed, Stage, staged

TINY: dict[str, Any] = {"mapping_set": "tiny", "platform__schema": {"document": "tiny"}}
RIGHT, WRONG, OTHER = SIGNING_KEY.encode(), b"of another connection", b"mistyped"


class Live:
    """A connection with its receiver, which keeps what it has while the files are not whole."""

    def __init__(self, stage: Stage, redis: ArqRedis) -> None:
        self.stage = stage
        self.redis = redis
        self.keys: list[bytes] = []
        stage.live = self.look

    @property
    def connection(self) -> Path:
        return self.stage.config / "connections" / "acme.yaml"

    @property
    def files(self) -> list[str]:
        folder = self.stage.folder / "var" / "connect"
        return sorted(path.name for path in folder.glob("acme.signing-key*"))

    def look(self) -> list[bytes]:
        try:
            document = yaml.safe_load(self.connection.read_text())
            self.keys = [read_secret(Path(each["file"])) for each in document["signing_keys"]]
        except FileNotFoundError:
            pass
        return self.keys

    async def event(self, key: bytes = RIGHT) -> bool:
        """One of Customer.io's; whether it is believed."""
        seen = Seen(self.look())
        if key not in self.keys:
            return False
        seen.believed_ms[self.keys.index(key)] = int(time.time() * 1000)
        await SignatureNotes(self.redis, {"acme": seen}).write()
        return True

    async def apply(self, given: bytes = b"", first: bytes = b"") -> Plan:
        """A command of its own."""
        options = {"signatures": Signatures(self.redis, "acme"), "signing_key": given}
        async with self.stage.wiring(**options, first_key=first) as wiring:
            plan = await wiring.plan()
            await wiring.apply(plan, tell=self.stage.events.append)
            return plan

    async def in_order(self) -> bool:
        async with self.stage.wiring() as wiring:
            return (await wiring.status()).in_order


@pytest.fixture(autouse=True)
def _no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
async def live(tmp_path: Path, store: ArqRedis) -> AsyncIterator[Live]:
    """Applied with the right key."""
    async with staged(tmp_path, **TINY) as stage:
        made = Live(stage, store)
        await made.apply(RIGHT)
        assert await made.event() and await made.in_order()
        yield made


@contextmanager
def killed(at: int) -> Iterator[list[int]]:
    """Before a file is put in its place or taken away for the nth time; gives how often it was."""
    count = [0]
    usual = {"replace": Path.replace, "unlink": Path.unlink}

    def dying(name: str) -> Any:
        def act(path: Path, *args: Any, **options: Any) -> Any:
            # What is left of an earlier writing counts as none.
            if name == "replace" or path.exists():
                count[0] += 1
                if count[0] >= at:
                    raise Killed
            return usual[name](path, *args, **options)

        return act

    with pytest.MonkeyPatch.context() as patch:
        for name in usual:
            patch.setattr(Path, name, dying(name))
        yield count


async def test_a_wrong_key_on_a_live_connection_stops_nothing(live: Live) -> None:
    plan = await live.apply(WRONG)
    assert {item.step for item in plan.work} == {
        "signing_key", "connection_file", "test", "test_counted",
    }  # fmt: skip
    assert live.look() == [WRONG, RIGHT]
    assert await live.event()
    assert await live.in_order()
    assert (await live.apply()).work == ()
    assert await live.event() and live.look() == [WRONG, RIGHT]


async def test_the_right_key_takes_the_place_of_a_wrong_one_after_a_genuine_event(
    live: Live,
) -> None:
    new = b"the key of a webhook made anew"
    await live.apply(new)
    assert (await live.apply()).work == ()
    assert live.look() == [new, RIGHT], "nobody knows yet that it is right"
    assert await live.event(new)

    assert await live.in_order()
    assert (await live.apply()).work == ()
    assert live.look() == [new] and live.files == ["acme.signing-key.2"]
    assert any("older one is taken away" in event.text for event in live.stage.events)
    assert await live.event(new) and await live.in_order()
    assert not await live.event(RIGHT)

    await live.apply(RIGHT)
    assert live.look() == [RIGHT, new], "what it signed before says nothing of now"
    assert live.files == ["acme.signing-key.2", "acme.signing-key.3"]


async def test_the_test_of_an_apply_proves_no_key(live: Live) -> None:
    """It is signed with whatever was given."""
    counted = live.stage.lane.counted
    await live.apply(WRONG)
    await live.apply()
    assert live.stage.lane.counted == counted + 1
    assert live.look() == [WRONG, RIGHT]


async def test_a_right_key_between_wrong_ones_is_not_lost(live: Live) -> None:
    for given in (WRONG, RIGHT, OTHER, WRONG):
        await live.apply(given)
        assert await live.event()
        assert live.look()[0] == given
    assert live.look() == [WRONG, OTHER, RIGHT], "each once, the newest first"


async def webhook_gone(live: Live) -> None:
    """Somebody took it away in Customer.io."""
    async with live.stage.wiring() as wiring:
        [found] = await wiring.ends.webhooks.all()
        await wiring.ends.webhooks.delete(found.id)


async def test_a_webhook_that_is_made_anew_is_not_enabled_with_the_key_of_the_one_before(
    live: Live,
) -> None:
    await webhook_gone(live)
    with pytest.raises(KeyMissing, match="the signing key of the webhook is needed"):
        await live.apply(first=WRONG)
    assert (await live.stage.webhook())["disabled"] and live.look() == [RIGHT]

    await live.apply(b"the new one's")
    assert not (await live.stage.webhook())["disabled"]
    assert live.look() == [b"the new one's", RIGHT]
    assert await live.event(b"the new one's") and await live.in_order()


async def test_a_webhook_that_is_made_anew_may_have_the_same_key(live: Live) -> None:
    """Nobody says whether a workspace has one or several."""
    await webhook_gone(live)

    async def asked(_where: str) -> bytes:
        return RIGHT

    async with live.stage.wiring() as wiring:
        await wiring.apply(await wiring.plan(), ask_key=asked)
    assert live.files == ["acme.signing-key"] and live.look() == [RIGHT]
    assert await live.in_order()


async def test_the_environment_s_key_is_for_a_connection_without_one(
    tmp_path: Path, store: ArqRedis
) -> None:
    async with staged(tmp_path, **TINY) as stage:
        made = Live(stage, store)
        await made.apply(first=RIGHT)
        assert made.look() == [RIGHT]
        plan = await made.apply(first=WRONG)
        assert plan.work == () and made.look() == [RIGHT]
        assert any("CUSTOMERIO_SIGNING_KEY is another key" in each for each in plan.remarks)
        assert (await made.apply(first=RIGHT)).remarks == ()


async def test_another_place_for_the_key_takes_it_along(live: Live) -> None:
    """Nobody is asked, and what the environment has is not taken for it."""
    await live.apply(WRONG)
    live.stage.changes["customerio__signing_key_file"] = "keys/acme"
    plan = await live.apply(first=OTHER)
    assert {item.step for item in plan.work} == {"signing_key", "connection_file"}
    assert live.look() == [WRONG, RIGHT] and await live.event()
    assert (live.stage.folder / "var" / "keys" / "acme").read_bytes() == WRONG + b"\n"
    assert (await live.apply()).work == () and live.look() == [WRONG, RIGHT]


async def test_a_key_that_cannot_be_read_stops_it_before_anything_is_done(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(_path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("app.connect.signing_keys.read_secret", unreadable)
    [fault] = (await live.stage.plan()).blocked
    assert (fault.step, "acme.signing-key cannot be read: Permission" in fault.why) == (
        "signing_key", True,
    )  # fmt: skip


@pytest.mark.parametrize("content", ["", "\n", "  \n"])
def test_an_empty_key_file_is_wrong_use(tmp_path: Path, content: str) -> None:
    path = tmp_path / "key"
    path.write_text(content)
    with pytest.raises(ConfigError, match="key: is empty; put the webhook's signing key into it"):
        key_given(path)


def test_a_key_is_given_by_its_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUSTOMERIO_SIGNING_KEY", "of another connection")
    assert key_given(None) == b""
    (tmp_path / "key").write_text(" its own \n")
    assert key_given(tmp_path / "key") == b"its own"


# What was given before, which of it an event came by, and what is given when the kill comes.
STORIES: dict[str, tuple[tuple[bytes, ...], bool, bytes]] = {
    "a wrong one": ((), False, WRONG),
    "another wrong one": ((WRONG,), False, OTHER),
    "the right one again": ((WRONG,), False, RIGHT),
    "none, and a wrong one goes": ((WRONG, RIGHT), True, b""),
}


@pytest.mark.parametrize("story", STORIES)
async def test_killed_at_any_file_customerio_is_believed_and_apply_goes_on(
    live: Live, story: str
) -> None:
    before, came, given = STORIES[story]
    at, over = 1, False
    while not over:
        for each in before:
            await live.apply(each)
        if came:
            assert await live.event()
        with killed(at):
            try:
                await live.apply(given)
                over = True
            except Killed:
                pass
        assert await live.event(), f"refused after a kill before file {at}"
        await live.apply(given)
        assert await live.in_order()
        assert live.look()[0] == (given or RIGHT)
        # The next round begins with the right key alone.
        await live.apply(RIGHT)
        assert await live.event()
        await live.apply()
        assert live.look() == [RIGHT]
        at += 1
    assert at > 3, "the kill came at some files"


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_is_done_in_whatever_order_customerio_is_believed(
    live: Live, seed: int
) -> None:
    chance = random.Random(seed)
    for _ in range(12):
        given = chance.choice((b"", RIGHT, WRONG, OTHER))
        with killed(chance.choice((99, chance.randint(1, 9)))), suppress(Killed):
            await live.apply(given, first=chance.choice((b"", WRONG)))
        if chance.random() < 0.5:
            assert await live.event()
        assert RIGHT in live.look()
    await live.apply()
    assert await live.event() and await live.in_order()
