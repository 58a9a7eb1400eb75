"""Events in files, and batch files answered line by line."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.cli.mappings.events import answer_lines, read_events, read_object
from app.core.errors import ConfigError

ONE = '{"a": 1}'
PRETTY = '{\n  "a": 1\n}\n'


def found(path: Path) -> list[tuple[str, dict[str, object]]]:
    return [
        (event.place.removeprefix(str(path)), event.document) for event in read_events(str(path))
    ]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "events.json"


@pytest.mark.parametrize(
    ("content", "places"),
    [
        (ONE, [":1"]),
        (PRETTY, [""]),
        ("\n\n" + ONE + "\n", [":3"]),
        (f"{ONE}\n{ONE}\n\n{ONE}", [":1", ":2", ":4"]),
        (f"[{ONE}, {ONE}]", ["[0]", "[1]"]),
        (f"[\n{ONE},\n{PRETTY}]\n", ["[0]", "[1]"]),
        ("[]", []),
        ("\ufeff" + ONE, [":1"]),
        ("\ufeff" + PRETTY, [""]),
    ],
)
def test_one_object_an_array_and_ndjson_are_told_apart(
    file: Path, content: str, places: list[str]
) -> None:
    file.write_text(content)
    assert found(file) == [(place, {"a": 1}) for place in places]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is no JSON"),
        ("secret@example.com", "(line 1, column 1)"),
        (f"{ONE}\nsecret@example.com\n", ":2: is no JSON"),
        (f"{ONE}\n[]\n", ":2: is no JSON object"),
        ('["secret@example.com"]', "[0]: is no JSON object"),
        ('"secret@example.com"', "is no JSON object"),
    ],
)
def test_what_is_no_event_is_told_by_its_place_and_never_shown(
    file: Path, content: str, said: str
) -> None:
    file.write_text(content)
    with pytest.raises(ConfigError) as fault:
        found(file)
    assert said in str(fault.value)
    assert "secret" not in str(fault.value)


def test_a_file_that_is_not_there_or_is_a_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere.*cannot be read: No such file"):
        found(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        read_object(str(tmp_path))


def test_ndjson_is_read_as_it_comes(file: Path) -> None:
    """A million lines need no more memory than one."""
    file.write_text(f"{ONE}\nno JSON\n")
    events = read_events(str(file))
    assert next(events).document == {"a": 1}
    with pytest.raises(ConfigError):
        next(events)


class Pieces(io.RawIOBase):
    """A pipe that gives what it has, piece by piece."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces: Iterator[bytes] = iter(pieces)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # a memoryview it is
        piece = next(self._pieces, b"")
        buffer[: len(piece)] = piece
        return len(piece)


@pytest.mark.parametrize(
    "pieces",
    [(b"a\nb\n\nc\n",), (b"a\nb\n\nc",), (b"a", b"\nb\n", b"\n", b"c")],
)
def test_each_line_gets_its_answer_however_it_comes(
    pieces: tuple[bytes, ...],
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(Pieces(*pieces))))

    answer_lines("-", lambda line, number: b"%d:%s" % (number, line))

    assert capfdbinary.readouterr().out == b"1:a\n2:b\n3:\n4:c\n"


def test_a_program_may_ask_and_read_in_turns() -> None:
    """Neither side waits for a buffer to fill."""
    words = (sys.executable, "-m", "app", "mappings", "eval", "--batch", "-")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SLUICE_")}
    with subprocess.Popen(
        words,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=clean,
        cwd=Path(__file__).parents[2],
    ) as process:
        assert process.stdin and process.stdout
        for number in range(3):
            question = {"expr": "a", "input": {"a": number}}
            process.stdin.write(json.dumps(question).encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline()) == {"value": number}
        process.stdin.close()
        assert process.wait() == 0
