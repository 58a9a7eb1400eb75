"""A worker takes a new version of a mapping set while it runs: when all of it is there and it
passes its check, and never otherwise."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from tests.worker.conftest import ScriptedLane
from tests.worker.connections import EVENT, ROWS, SCHEMA, Files, examples, mapping_set, row
from worker import versions
from worker.metrics import Metrics
from worker.route import Route
from worker.version_watch import GONE_LOOKS, VersionWatch
from worker.versions import load_versions

RECORD = {"_id": "e1", "timestamp": "2023-11-14T22:13:20Z", "_acme": {"count": 3}}
BROKEN = mapping_set(2, row("lower(", "eventType", "EXPRESSION"))


class Watched:
    """A route, the files behind it and the watch between them."""

    def __init__(self, folder: Path, *names: str, mode: str = "xdm") -> None:
        self.files = Files(folder)
        connections = {name: self.files.connection(name, mode) for name in names or ("a",)}
        loaded = load_versions(connections)
        self.routes = {
            name: Route(name, ScriptedLane(), version, (b"", b""))
            for name, version in loaded.items()
        }
        self.metrics = Metrics()
        self.watch = VersionWatch(connections, self.routes, self.metrics)

    @property
    def label(self) -> str:
        return self.routes["a"].version.label

    async def looks(self, times: int = 2) -> list[EventDict]:
        """So many looks, and what the log said of them."""
        with capture_logs() as lines:
            for _ in range(times):
                await self.watch.look()
        return lines

    def gauge(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"sluice_worker_mapping_{name}", labels)


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def events(lines: list[EventDict]) -> list[str]:
    return [line["event"] for line in lines]


async def test_a_new_version_is_taken_and_said(watched: Watched) -> None:
    old = watched.label
    watched.files.write(watched.files.mapping, mapping_set(2, row("metric", "eventType")))

    [line] = await watched.looks()

    assert (line["event"], line["old"], line["new"]) == ("mapping.taken", old, watched.label)
    assert (line["connection"], line["changed"]) == ("a", ["mapping set"])
    assert watched.label.startswith("small@2+")
    mapping = watched.routes["a"].version.mapping
    assert mapping is not None
    assert mapping.transform(EVENT).record == {**RECORD, "eventType": "sent"}
    assert await watched.looks() == []


async def test_the_metric_tells_the_version_at_work_and_no_other(watched: Watched) -> None:
    def version() -> str:
        return watched.label.partition("@")[2]

    old = version()
    assert watched.gauge("info", connection="a", set="small", version=old) == 1
    watched.files.write(watched.files.mapping, mapping_set(2))
    await watched.looks()

    assert version() != old
    assert watched.gauge("info", connection="a", set="small", version=version()) == 1
    assert watched.gauge("info", connection="a", set="small", version=old) is None


@pytest.mark.parametrize(
    ("document", "wanted"),
    [
        (BROKEN, "#4 EXPRESSION lower( -> eventType"),
        (mapping_set(2, row("metric", "nowhere")), "#4 ATTRIBUTE metric -> nowhere"),
        (mapping_set(2, rows=ROWS[1:]), "_id"),
        ({"name": "small", "version": 2}, "mappings"),
        ([], "mappings"),
    ],
)
async def test_what_does_not_pass_is_refused_once_and_the_old_version_goes_on(
    watched: Watched, document: Any, wanted: str
) -> None:
    before = watched.routes["a"].version
    watched.files.write(watched.files.mapping, document)

    lines = await watched.looks(6)

    assert events(lines) == ["mapping.refused"]
    assert (lines[0]["connection"], lines[0]["runs"]) == ("a", before.label)
    assert any(wanted in fault for fault in lines[0]["faults"]), lines[0]["faults"]
    assert watched.routes["a"].version is before
    assert watched.gauge("refused", connection="a") == 1


async def test_the_log_names_what_is_refused(watched: Watched) -> None:
    watched.files.write(watched.files.mapping, BROKEN)
    [line] = await watched.looks()
    assert line["label"].startswith("small@2+")


async def test_the_log_has_the_first_five_of_many_faults(watched: Watched) -> None:
    rows = [row(f"lower({n}", "eventType", "EXPRESSION") for n in range(8)]
    watched.files.write(watched.files.mapping, mapping_set(2, *rows))
    [line] = await watched.looks()
    assert len(line["faults"]) == 5
    assert line["times"] >= 8


async def test_a_repaired_version_is_taken(watched: Watched) -> None:
    watched.files.write(watched.files.mapping, BROKEN)
    await watched.looks()
    watched.files.write(watched.files.mapping, mapping_set(3))

    assert events(await watched.looks()) == ["mapping.taken"]
    assert watched.label.startswith("small@3+")
    assert watched.gauge("refused", connection="a") == 0


async def test_going_back_to_what_runs_ends_a_refusal(watched: Watched) -> None:
    watched.files.write(watched.files.mapping, BROKEN)
    await watched.looks()
    watched.files.write(watched.files.mapping, mapping_set())

    assert events(await watched.looks()) == ["mapping.as_before"]
    assert watched.gauge("refused", connection="a") == 0


async def test_a_set_is_refused_when_its_examples_fail(watched: Watched) -> None:
    watched.files.write(watched.files.examples, examples(RECORD))
    assert events(await watched.looks()) == ["mapping.taken"]
    # Nothing is wrong with it, but that an event no longer becomes what was promised.
    watched.files.write(watched.files.mapping, mapping_set(2, row("metric", "_{TENANT}.text")))

    [line] = await watched.looks()

    assert line["event"] == "mapping.refused"
    assert "an event" in line["faults"][0]
    watched.files.write(
        watched.files.examples, examples({**RECORD, "_acme": {"count": 3, "text": "sent"}})
    )
    assert events(await watched.looks()) == ["mapping.taken"]


async def test_a_changed_schema_is_taken_with_the_set_that_fits_it(watched: Watched) -> None:
    narrower = {**SCHEMA, "required": ["_id", "timestamp", "eventType"]}
    watched.files.write(watched.files.schema, narrower)
    assert events(await watched.looks()) == ["mapping.refused"]
    watched.files.write(watched.files.mapping, mapping_set(2, row("metric", "eventType")))

    [line] = await watched.looks()

    assert (line["event"], line["changed"]) == ("mapping.taken", ["mapping set", "schema"])


async def test_the_same_number_for_another_content_is_taken_with_a_warning(
    watched: Watched,
) -> None:
    old = watched.label
    watched.files.write(watched.files.mapping, mapping_set(1, row("metric", "eventType")))

    lines = await watched.looks()

    assert events(lines) == ["mapping.taken", "mapping.version_unchanged"]
    assert "raise `version`" in lines[1]["reason"]
    assert watched.label != old


@pytest.mark.parametrize("content", ["", '{"name": "small", "version": 2, "mappings": [{"sour'])
async def test_a_file_that_is_being_written_is_not_judged(watched: Watched, content: str) -> None:
    watched.files.mapping.write_text(content)
    lines = await watched.looks(1)
    watched.files.write(watched.files.mapping, mapping_set(2))
    lines += await watched.looks(2)
    assert events(lines) == ["mapping.taken"]


async def test_what_stays_half_written_is_refused(watched: Watched) -> None:
    watched.files.mapping.write_text('{"name": "small"')
    [line] = await watched.looks()
    assert line["event"] == "mapping.refused"
    assert "cannot be read as JSON" in line["faults"][0]


def gone(files: Files) -> None:
    files.mapping.unlink()


def not_to_be_read(files: Files) -> None:
    """As without permission, which the root of a container does not notice."""
    files.schema.unlink()
    files.schema.mkdir()


@pytest.mark.parametrize("break_it", [gone, not_to_be_read])
async def test_files_may_go_for_a_moment(
    watched: Watched, break_it: Callable[[Files], None]
) -> None:
    break_it(watched.files)
    assert await watched.looks(GONE_LOOKS - 1) == []

    if watched.files.schema.is_dir():
        watched.files.schema.rmdir()
    watched.files.write(watched.files.mapping, mapping_set(2))
    watched.files.write(watched.files.schema, SCHEMA)

    assert events(await watched.looks()) == ["mapping.taken"]


@pytest.mark.parametrize("break_it", [gone, not_to_be_read])
async def test_files_that_stay_away_are_told_once_and_the_old_version_goes_on(
    watched: Watched, break_it: Callable[[Files], None]
) -> None:
    label = watched.label
    break_it(watched.files)

    lines = await watched.looks(GONE_LOOKS + 3)

    assert events(lines) == ["mapping.refused"]
    assert "cannot be read" in lines[0]["faults"][0]
    assert watched.label == label
    assert watched.gauge("refused", connection="a") == 1


async def test_examples_that_go_are_no_fault(watched: Watched) -> None:
    watched.files.write(watched.files.examples, examples(RECORD))
    await watched.looks()
    watched.files.examples.unlink()
    [line] = await watched.looks()
    assert (line["event"], line["changed"]) == ("mapping.taken", ["examples"])


async def test_a_config_map_is_swapped_by_its_link(tmp_path: Path) -> None:
    """Kubernetes: names are links through `..data`, a link to the folder of the newest content."""
    for number in (1, 2):
        files = Files(tmp_path / f"..{number}")
        files.write(files.mapping, mapping_set(number))
    (tmp_path / "..data").symlink_to("..1")
    for name in ("mappings", "schemas"):
        (tmp_path / name).symlink_to(f"..data/{name}")
    watched = Watched.__new__(Watched)
    seen = Files.__new__(Files)
    seen.mapping = tmp_path / "mappings" / "small.json"
    seen.schema = tmp_path / "schemas" / "small.json"
    connections = {"a": seen.connection()}
    watched.routes = {"a": Route("a", ScriptedLane(), load_versions(connections)["a"], (b"", b""))}
    watched.watch = VersionWatch(connections, watched.routes, Metrics())

    (tmp_path / "..new").symlink_to("..2")
    (tmp_path / "..new").rename(tmp_path / "..data")

    assert events(await watched.looks()) == ["mapping.taken"]
    assert watched.label.startswith("small@2+")


async def test_a_touched_file_is_no_news(watched: Watched) -> None:
    watched.files.write(watched.files.mapping, mapping_set())
    watched.files.mapping.touch()
    assert await watched.looks(3) == []


async def test_connections_that_share_a_set_each_take_it_and_it_is_compiled_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched(tmp_path, "a", "b")
    checks: list[threading.Thread] = []
    original = versions.check_files

    def counted(*args: Any) -> Any:
        checks.append(threading.current_thread())
        return original(*args)

    monkeypatch.setattr(versions, "check_files", counted)
    watched.files.write(watched.files.mapping, mapping_set(2))

    lines = await watched.looks()

    assert [(line["event"], line["connection"]) for line in lines] == [
        ("mapping.taken", "a"), ("mapping.taken", "b"),
    ]  # fmt: skip
    assert watched.routes["a"].version.mapping is watched.routes["b"].version.mapping
    assert len(checks) == 1
    assert threading.main_thread() not in checks


async def test_a_check_that_breaks_is_a_refusal_and_no_end(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RecursionError

    monkeypatch.setattr(versions, "check_files", broken)
    watched.files.write(watched.files.mapping, mapping_set(2))
    lines = await watched.looks()
    assert events(lines) == ["mapping.check_failed", "mapping.refused"]
    assert lines[1]["faults"] == ["the check itself failed: RecursionError"]


async def test_a_raw_connection_has_nothing_to_watch(tmp_path: Path) -> None:
    watched = Watched(tmp_path, mode="raw")
    watched.files.write(watched.files.mapping, BROKEN)
    assert await watched.looks(3) == []
    assert watched.label == ""
