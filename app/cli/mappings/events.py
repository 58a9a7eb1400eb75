"""Events in files, and lines in batch files: one object, an array, NDJSON, or standard input."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

import orjson
import typer

from app.core.errors import ConfigError

STDIN: Final = "-"

_CHUNK: Final = 1 << 18


class InputEvent(NamedTuple):
    """One event of a file. `place`: where it stood, for what is said about it."""

    place: str
    document: dict[str, Any]


def read_events(name: str) -> Iterator[InputEvent]:
    """The events of one file, or of standard input for `-`; line by line where it is NDJSON.

    Raises ConfigError naming file and line; its texts hold nothing of the content.
    """
    with opened(name) as file:
        numbered = enumerate(file, 1)
        number, first = next(((at, line) for at, line in numbered if line.strip()), (1, b""))
        first = first.removeprefix(codecs.BOM_UTF8)
        if _is_object(first):
            yield InputEvent(f"{_shown(name)}:{number}", orjson.loads(first))
            yield from _lines(name, numbered)
        else:
            yield from _whole(name, first + file.read())


def answer_lines(name: str, answer: Callable[[bytes, int], bytes]) -> None:
    """Writes an answer to stdout for each line of a file, in order, whatever the line is.

    `answer` gets the line and its number from 1. What has come is answered before more is waited
    for, so that a program may ask and read in turns.
    """
    out = sys.stdout.buffer
    number = 0
    with opened(name) as file:
        for lines in _whole_lines(file):
            answers = [answer(line, number + at) for at, line in enumerate(lines, 1)]
            number += len(lines)
            out.write(b"\n".join(answers) + b"\n")
            out.flush()


def _whole_lines(file: IO[bytes]) -> Iterator[list[bytes]]:
    """Lines as they come, many at a time; the last one may lack its end."""
    parts: list[bytes] = []
    # read1: whatever is there, instead of as much as was asked for.
    while chunk := file.read1(_CHUNK):  # type: ignore[attr-defined]  # a buffered reader has it
        head, end, tail = chunk.rpartition(b"\n")
        if not end:
            parts.append(chunk)
            continue
        yield b"".join((*parts, head)).split(b"\n")
        parts = [tail] if tail else []
    if parts:
        yield [b"".join(parts)]


def opened(name: str) -> AbstractContextManager[IO[bytes]]:
    """A file to read, or standard input. Raises ConfigError."""
    if name == STDIN:
        if sys.stdin.isatty():
            typer.echo("reading from the terminal; end with Ctrl-D", err=True)
        return nullcontext(sys.stdin.buffer)
    try:
        return Path(name).open("rb")
    except OSError as fault:
        raise ConfigError([f"{name}: cannot be read: {fault.strerror}"]) from None


def read_object(name: str) -> dict[str, Any]:
    """The one JSON object in a file. Raises ConfigError."""
    with opened(name) as file:
        document = _json(name, file.read())
    if not isinstance(document, dict):
        raise ConfigError([f"{_shown(name)}: is no JSON object"])
    return document


def _whole(name: str, content: bytes) -> Iterator[InputEvent]:
    document = _json(name, content)
    many = isinstance(document, list)
    for at, one in enumerate(document if many else [document]):
        place = f"{_shown(name)}[{at}]" if many else _shown(name)
        if not isinstance(one, dict):
            raise ConfigError([f"{place}: is no JSON object, which an event is"])
        yield InputEvent(place, one)


def _lines(name: str, numbered: Iterator[tuple[int, bytes]]) -> Iterator[InputEvent]:
    for number, line in numbered:
        if not line.strip():
            continue
        place = f"{_shown(name)}:{number}"
        document = _json(place, line)
        if not isinstance(document, dict):
            raise ConfigError([f"{place}: is no JSON object, which an event is"])
        yield InputEvent(place, document)


def _json(place: str, content: bytes) -> Any:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as fault:
        where = f"line {fault.lineno}, column {fault.colno}"
        raise ConfigError([f"{_shown(place)}: is no JSON: {fault.msg} ({where})"]) from None


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return False


def _shown(name: str) -> str:
    return "standard input" if name == STDIN else name
