"""The archive of delivered bodies: found by id, bounded, torn tails, and never in the way."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from arq.connections import ArqRedis
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from app.core.batch import EventBatch, encode
from app.core.outcome import Failure, failed
from tests.worker.conftest import DELIVERED, Shop, body
from worker.archive import ArchiveBounds, ArchiveFinder, ArchiveWriter, Kept, writer
from worker.archive.segments import append, find

HOUR = 3_600
DAY = 86_400


def event(at: int, size: int = 10) -> Kept:
    return Kept(f"e{at}", at, b"x" * size)


def test_what_is_appended_is_found(tmp_path: Path) -> None:
    segment = tmp_path / "a" / "7" / "w.seg"
    append(segment, [event(1), event(2)])
    append(segment, [event(3), event(4)])
    assert sorted(find(segment, {"e1", "e4", "e9"})) == [event(1), event(4)]
    assert list(find(segment, {"e9"})) == []
    assert list(find(tmp_path / "none.seg", {"e1"})) == []


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    segment = tmp_path / "a" / "7" / "w.seg"
    append(segment, [event(1)])
    for path in (segment, segment.with_suffix(".idx")):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(segment.parent.stat().st_mode) == 0o700


@given(cut=st.integers(0, 400), of=st.sampled_from([".seg", ".idx"]))
def test_a_torn_tail_hides_nothing_before_it(
    tmp_path_factory: pytest.TempPathFactory, cut: int, of: str
) -> None:
    segment = tmp_path_factory.mktemp("archive") / "w.seg"
    append(segment, [event(at) for at in range(5)])
    first = {each: path.stat().st_size for each, path in _files(segment).items()}
    append(segment, [event(at) for at in range(5, 10)])
    torn = _files(segment)[of]
    size = max(first[of], torn.stat().st_size - cut)
    os.truncate(torn, size)
    found = {each.event_id for each in find(segment, {f"e{at}" for at in range(10)})}
    assert {f"e{at}" for at in range(5)} <= found


def _files(segment: Path) -> dict[str, Path]:
    return {".seg": segment, ".idx": segment.with_suffix(".idx")}


def test_a_block_written_after_a_torn_one_is_found(tmp_path: Path) -> None:
    segment = tmp_path / "w.seg"
    append(segment, [event(1)])
    with segment.open("ab") as file:
        file.write(b"\x00\x00\xff")
    append(segment, [event(2)])
    assert list(find(segment, {"e2"})) == [event(2)]


class Archive:
    """A writer with a clock of its own."""

    def __init__(self, folder: Path, shop: Shop, days: float = 2, max_bytes: int = 10**9) -> None:
        self.now = 1_800_000_000.0
        self.folder = folder
        bounds = ArchiveBounds(days, max_bytes)
        self.writer = ArchiveWriter(folder, "w1", bounds, shop.metrics, clock=lambda: self.now)
        shop.desk._pipeline._archive = self.writer  # type: ignore[attr-defined]

    async def find(self, *ids: str) -> dict[str, Kept]:
        return await ArchiveFinder(self.folder).find("a", ids, 0, 10**9)


async def test_what_platform_took_is_archived_and_nothing_else(shop: Shop, tmp_path: Path) -> None:
    archive = Archive(tmp_path, shop)
    refused = failed(Failure.CONTRACT, status=400, code="x")
    shop.lane.decide = lambda event_id: refused if event_id == "bad" else DELIVERED
    await shop.desk.answer([await shop.receive(body("e1"), body("bad"), body("e1"), b"garbage")])
    await archive.writer.write()

    kept = await archive.find("e1", "bad", "")
    assert kept == {"e1": Kept("e1", int(shop.now * 1000), body("e1"))}
    assert await ArchiveFinder(tmp_path).find("b", ["e1"], 0, 10**9) == {}


async def test_all_of_a_batch_that_was_taken_whole(shop: Shop, tmp_path: Path) -> None:
    archive = Archive(tmp_path, shop)
    await shop.desk.answer([await shop.receive(*(body(f"e{at}") for at in range(50)))])
    await archive.writer.write()
    assert len(await archive.find(*(f"e{at}" for at in range(50)))) == 50


async def test_a_ready_record_is_no_body(shop: Shop, tmp_path: Path, store: ArqRedis) -> None:
    archive = Archive(tmp_path, shop)
    frame = encode(EventBatch([b'{"_id":"e1","timestamp":"x"}'], [1], ready=frozenset({0})))
    await shop.desk.answer([await shop.batches.commit("a", frame, 1)])
    await archive.writer.write()
    assert (shop.lane.sent, await archive.find("e1")) == (["e1"], {})


async def test_hours_past_their_days_are_dropped(shop: Shop, tmp_path: Path) -> None:
    archive = Archive(tmp_path, shop)
    for at in range(4):
        await shop.desk.answer([await shop.receive(body(f"e{at}"))])
        await archive.writer.write()
        archive.now += DAY
    kept = await archive.find(*(f"e{at}" for at in range(4)))
    assert sorted(kept) == ["e1", "e2", "e3"]


async def test_beyond_its_bytes_the_oldest_goes_first_and_that_is_said(
    shop: Shop, tmp_path: Path
) -> None:
    archive = Archive(tmp_path, shop, days=9, max_bytes=10_000)
    with capture_logs() as logs:
        for at in range(5):
            noise = os.urandom(2_000).hex()
            await shop.desk.answer([await shop.receive(body(f"e{at}", data={"x": noise}))])
            await archive.writer.write()
            archive.now += HOUR
    kept = await archive.find(*(f"e{at}" for at in range(5)))
    assert "e4" in kept and "e0" not in kept
    trimmed = [line for line in logs if line["event"] == "archive.trimmed"]
    assert {(line["reason"], line["log_level"]) for line in trimmed} == {("bytes", "warning")}
    size = shop.metrics.registry.get_sample_value("sluice_worker_archive_bytes")
    assert size is not None and size <= 10_000


async def test_a_disk_that_takes_nothing_costs_the_archive_only(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a file where a folder belongs")
    archive = Archive(tmp_path, shop)
    with capture_logs() as logs:
        for at in range(2):
            await shop.desk.answer([await shop.receive(body(f"e{at}"))])
            await archive.writer.write()
        (tmp_path / "a").unlink()
        await shop.desk.answer([await shop.receive(body("e2"))])
        await archive.writer.write()
    assert [x["event"] for x in logs if x["event"].startswith("archive")] == [
        "archive.behind", "archive.well",
    ]  # fmt: skip
    assert (await shop.row()).delivered == 3
    assert _lost(shop) == 2
    assert sorted(await archive.find("e0", "e1", "e2")) == ["e2"]


async def test_what_comes_faster_than_the_disk_takes_it_is_left_out(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "WAITING_MAX_BYTES", len(body("e0")) + 1)
    archive = Archive(tmp_path, shop)
    for at in range(2):
        await shop.desk.answer([await shop.receive(body(f"e{at}"))])
    assert _lost(shop) == 1
    await archive.writer.write()
    assert sorted(await archive.find("e0", "e1")) == ["e0"]


async def test_it_says_what_it_keeps_and_writes_the_rest_at_the_end(
    shop: Shop, tmp_path: Path
) -> None:
    archive = Archive(tmp_path, shop)
    with capture_logs() as logs:
        archive.writer.start()
        await shop.desk.answer([await shop.receive(body("e1"))])
        await archive.writer.close()
    [line] = [line for line in logs if line["event"] == "archive.on"]
    assert "personal data" in line["holds"]
    assert sorted(await archive.find("e1")) == ["e1"]


def _lost(shop: Shop) -> Any:
    return shop.metrics.registry.get_sample_value(
        "sluice_worker_archive_lost_total", {"connection": "a"}
    )
