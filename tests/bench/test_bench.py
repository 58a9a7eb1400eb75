"""The bench's own arithmetic and writing; nothing is timed here."""

from __future__ import annotations

import json
import socket
import threading
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from app.core.batch import decode
from app.core.signature import matching_key
from tests.bench.__main__ import main
from tests.bench.corpus import bodies, make_backlog, read_frames, signed_requests
from tests.bench.figures import Figure, of_rounds, ratio, show, write
from tests.bench.load import poisson, send
from tests.bench.services import SIGNING_KEY
from tests.bench.stage import BenchError


def test_a_goal_can_be_a_least_or_a_most():
    assert Figure("a.b", 0.95, "x", ">= 0.95").met is True
    assert Figure("a.b", 0.94, "x", ">= 0.95").met is False
    assert Figure("a.b", 300, "x", "<= 300").met is True
    assert Figure("a.b", 301, "x", "<= 300").met is False
    assert Figure("a.b", 1, "x").met is None


def test_a_ratio_is_the_median_of_the_rounds_ratios():
    figure = ratio("r.x", [10, 30, 40], [10, 10, 20], "times", ">= 2")
    assert figure.rounds == (1, 3, 2)
    assert figure.value == 2


def test_the_file_has_a_line_about_the_machine_and_a_line_a_figure(tmp_path: Path):
    path = tmp_path / "var" / "bench.jsonl"
    figures = [
        of_rounds("receive.rate_64", [3, 1, 2], "requests/s", versus=("bare aiohttp", [4, 4, 4])),
        Figure("memory.queued_500.valkey", 269.123456789, "bytes", "<= 300", None, (269.1,)),
    ]
    write(path, figures, {"cpu": "a fast one", "cores": 2})
    about, first, second = map(json.loads, path.read_text().splitlines())
    assert about == {"name": "machine", "cpu": "a fast one", "cores": 2}
    assert first == {
        "name": "receive.rate_64",
        "value": 2,
        "unit": "requests/s",
        "goal": None,
        "met": None,
        "versus": {"what": "bare aiohttp", "value": 4},
        "rounds": [3, 1, 2],
    }
    assert (second["value"], second["goal"], second["met"]) == (269.123, "<= 300", True)


def test_the_table_shows_every_figure_and_counts_the_goals():
    written = StringIO()
    console = Console(width=120, file=written)
    met = Figure("drain.ratio", 16.4, "times plain arq", ">= 15", None, (16.4, 17.0))
    missed = Figure("floor.ratio", 2.4, "times", "<= 2", ("bare loop", 14.0), (2.4,))
    show(console, [met, missed], "somewhere")
    text = written.getvalue()
    assert "16.4 times plain arq" in text and ">= 15 met" in text
    assert "<= 2 missed" in text and "bare loop: 14.0" in text
    assert "1 of 2 goals met" in text


def test_a_name_that_is_no_measurement_is_wrong_use(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main(["recieve"])
    assert ended.value.code == 2
    assert "recieve" in capsys.readouterr().err


def test_a_backlog_holds_its_events_and_knows_its_repeats(tmp_path: Path):
    backlog = make_backlog(1_200, batch=500)
    assert [events for _, events in backlog.frames] == [500, 500, 200]
    assert 20 <= backlog.duplicates <= 120
    backlog.write(tmp_path / "frames")
    found = [body for frame in read_frames(tmp_path / "frames") for body in decode(frame).bodies]
    assert len(found) == 1_200
    assert len(set(found)) == 1_200 - backlog.duplicates


def test_the_requests_that_are_sent_are_signed():
    [event] = bodies(1)
    [request] = signed_requests([event])
    head, _, body = request.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    timestamp, signature = headers["X-CIO-Timestamp"], headers["X-CIO-Signature"]
    assert body == event
    assert matching_key([SIGNING_KEY], timestamp, signature, body) == 0


def _server(answer: bytes) -> int:
    """Answers one request, in two pieces; its port."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with listening, listening.accept()[0] as connection:
            while connection.recv(4096):
                connection.sendall(answer[:20])
                connection.sendall(answer[20:])

    threading.Thread(target=serve, daemon=True).start()
    return int(listening.getsockname()[1])


def test_the_load_generator_counts_whole_answers():
    port = _server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    loaded = send(port, [b"GET / HTTP/1.1\r\n\r\n"] * 3, 1, [0.0, 0.001, 0.002])
    assert len(loaded.latencies) == 3
    assert loaded.percentile_ms(50) > 0


def test_the_load_generator_takes_no_answer_but_200():
    port = _server(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
    with pytest.raises(BenchError, match="503"):
        send(port, [b"GET / HTTP/1.1\r\n\r\n"], 1)


def test_the_schedule_keeps_its_rate_and_repeats():
    due = poisson(100.0, 5_000)
    assert due == poisson(100.0, 5_000)
    assert 45 < due[-1] < 55
