"""Beyond a budget the oldest dead letters lie in files; in every other way they are as before."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import zstandard

from app.core.batch import decode
from app.core.dead_letter import DeadLetter, Edit, decode_line
from app.sandbox.traffic import generate
from app.store import keys
from app.store.connect import Store
from app.store.dead_letters import DeadLetters, Filter
from app.store.dead_letters.files import FOLDER, SpillFiles, name_of
from app.store.dead_letters.fsck import Fsck
from app.store.dead_letters.spilling import Spilling
from app.store.ledger import Ledger
from tests.dead import bury, letter_of, numbered

BYTES = [b'\xff\xfe{"not": utf-8}', b"", b'{"event_id":"line\\nbreak \xe2\x80\xa8"}', b"a\nb\r\nc"]


def made(count: int = 400) -> list[DeadLetter]:
    bodies = [*BYTES, *generate(1, count - len(BYTES), body_bytes=300)]
    return [letter_of(body, at) for at, body in enumerate(bodies)]


@pytest.fixture
def folder(store: Store, tmp_path: Path) -> Path:
    store.data_dir = tmp_path
    return tmp_path / FOLDER


def files_in(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def put(folder: Path, name: str, content: bytes) -> None:
    folder.mkdir()
    (folder / name).write_bytes(content)


async def spill_down_to(store: Store, max_bytes: int) -> int:
    spilling = Spilling(store, max_bytes, SpillFiles(store.data_dir))
    letters = 0
    while report := await spilling.step():
        letters += report.letters
    return letters


async def test_the_oldest_go_to_a_file_and_all_are_read_found_and_counted_as_before(
    store: Store, folder: Path
) -> None:
    letters, given = DeadLetters(store), made()
    numbers = await bury(store, given)
    before = int(await store.get(keys.DEAD_BYTES) or 0)
    spilled = await spill_down_to(store, before // 2)

    assert 150 < spilled < 350
    assert int(await store.get(keys.DEAD_BYTES) or 0) <= before // 2
    assert await letters.get(numbers) == numbered(given, numbers)
    assert [x.number async for x in letters.find(Filter())] == numbers[::-1]
    like = given[10].summary
    assert [x.number async for x in letters.find(Filter(event_id=like.event_id))] == [numbers[10]]
    assert [f async for f in Fsck(store).run()] == []
    assert (await Ledger(store).read()).faults == ()
    assert await spill_down_to(store, before // 2) == 0


async def test_a_file_is_ndjson_for_anybody_and_private(store: Store, folder: Path) -> None:
    given = made(200)
    numbers = await bury(store, given)
    await spill_down_to(store, 1)

    [path] = files_in(folder)
    with path.open("rb") as file:
        content = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True).read()
    found = [decode_line(line) for line in content.splitlines()]
    assert found == numbered(given, numbers)
    assert path.stat().st_mode & 0o77 == 0


async def test_a_spilled_letter_is_replayed_with_the_bytes_that_came(
    store: Store, folder: Path
) -> None:
    letters, given = DeadLetters(store), made(200)
    numbers = await bury(store, given)
    await spill_down_to(store, 1)
    batches = await letters.replay(numbers, 1)

    frames = [decode(await store.get(f"{keys.BATCH_PREFIX}{each}") or b"") for each in batches]
    bodies = [body for frame in frames for body in frame.bodies]
    assert sorted(bodies) == sorted(letter.body for letter in given)
    assert await store.get(keys.DEAD_BYTES) == b"0"
    spilling = Spilling(store, 1, SpillFiles(store.data_dir))
    assert await spilling.tidy() == [name_of(1)]
    assert files_in(folder) == []
    assert await store.hgetall(keys.DEAD_FILES) == {}  # type: ignore[misc]  # redis-py's stub


async def test_a_letter_whose_file_is_missing_says_so_and_stays(store: Store, folder: Path) -> None:
    letters = DeadLetters(store)
    numbers = await bury(store, made(100))
    await spill_down_to(store, 1)
    (folder / name_of(1)).rename(folder / "elsewhere")

    [letter] = await letters.look(numbers[:1])
    assert (name_of(1) in letter.missing, letter.body) == (True, b"")
    assert await letters.get(numbers) == []
    assert await letters.replay(numbers, 1) == []
    assert await letters.count("example") == 100
    [finding] = [f async for f in Fsck(store, mend=True).run()]
    assert (finding.what, finding.where, finding.mended) == ("file", name_of(1), False)

    (folder / "elsewhere").rename(folder / name_of(1))
    assert len(await DeadLetters(store).get(numbers)) == 100


@pytest.mark.parametrize("damage", [b"", b"torn", None])
async def test_a_damaged_file_costs_no_letter_but_its_body(
    store: Store, folder: Path, damage: bytes | None
) -> None:
    letters = DeadLetters(store)
    numbers = await bury(store, made(300))
    await spill_down_to(store, 1)
    path = folder / name_of(1)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] if damage is None else damage)

    found = await letters.look(numbers)
    assert len(found) == 300
    assert found[-1].missing.startswith(name_of(1))
    # Of half a file, some blocks are whole.
    left = len(await letters.get(numbers))
    assert (left % 64, left > 0) == (0, damage is None)


async def test_a_crash_before_redis_knows_leaves_a_file_that_fsck_removes_when_it_is_old(
    store: Store, folder: Path
) -> None:
    numbers = await bury(store, made(100))
    await store.incr(keys.DEAD_FILE_NUMBER)
    SpillFiles(store.data_dir).write(1, await DeadLetters(store).get(numbers))

    assert [f async for f in Fsck(store, mend=True).run()] == []
    os.utime(folder / name_of(1), (1, 1))
    [finding] = [f async for f in Fsck(store, mend=True).run()]
    assert (finding.where, finding.mended) == (name_of(1), True)
    assert files_in(folder) == []
    assert len(await DeadLetters(store).get(numbers)) == 100


async def test_a_file_of_before_a_restored_backup_is_never_written_over(
    store: Store, folder: Path
) -> None:
    put(folder, name_of(7), b"theirs")
    await store.set(keys.DEAD_FILE_NUMBER, 6)
    await bury(store, made(20))
    assert await spill_down_to(store, 1) == 20
    assert (folder / name_of(7)).read_bytes() == b"theirs"
    assert (folder / name_of(8)).exists()


async def test_without_room_for_a_file_everything_stays_in_redis(
    store: Store, tmp_path: Path
) -> None:
    (tmp_path / FOLDER).write_bytes(b"no folder")
    store.data_dir = tmp_path
    given = made(20)
    numbers = await bury(store, given)
    with pytest.raises(OSError):
        await spill_down_to(store, 1)
    assert await DeadLetters(store).get(numbers) == numbered(given, numbers)


async def test_an_edit_stays_beside_a_letter_whose_body_went_to_a_file(
    store: Store, folder: Path
) -> None:
    letters = DeadLetters(store)
    numbers = await bury(store, made(20)[4:])
    edit = Edit("ada", 5, b'[{"op":"add","path":"/data/x","value":1}]')
    await letters.edit(numbers[0], edit)
    assert await spill_down_to(store, 1) == len(numbers)
    assert [each.edit for each in await letters.get(numbers[:2])] == [edit, None]
    await letters.edit(numbers[0], None)
    assert [each.edit for each in await letters.get(numbers[:2])] == [None, None]
