"""The rows of an export: NDJSON, plain ids, a JSON array, or CSV; row by row, whatever a row is."""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import IO, Any, Final, NamedTuple

import orjson

from app.cli.mappings.events import opened
from app.core.errors import ConfigError, UnreadableEvent
from app.core.event import EVENT_ID_MAX_CHARS, parse_event
from app.settings.faults import close_match

ID_COLUMN: Final = "event_id"
BODY_COLUMN: Final = "body"

# Nothing that is one row is longer; without a bound a file without line ends would fill memory.
ROW_MAX_BYTES: Final = 4_000_000
# An array cannot be read row by row.
ARRAY_MAX_BYTES: Final = 256_000_000

# What would break a line of the answer, or cannot be written at all, is no id.
_ID: Final = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]+")
_PLAIN_ID: Final = re.compile(r"[\w.:\-]+", re.ASCII)
_COLUMN_NAME: Final = re.compile(r"[\w .\-]{1,64}")
_ONLY_AN_ID: Final = {"event_id", "timestamp"}


class Row(NamedTuple):
    """One row. `fault`: why there is no id, or why the body that is there cannot be used."""

    number: int
    event_id: str = ""
    timestamp: int = 0
    body: bytes | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Columns:
    """What is where in a CSV file. `asked`: the options say that it is one."""

    event_id: str
    body: str
    asked: bool


def read_rows(name: str, columns: Columns, read: Callable[[int], None]) -> Iterator[Row]:
    """The rows of a file, or of standard input for `-`; `read` is told the bytes of each line.

    Raises ConfigError for what is wrong with the file as a whole.
    """
    with opened(name) as file:
        lines = _bounded_lines(file, read)
        empty, first = 0, b""
        for line in lines:
            first = line.removeprefix(codecs.BOM_UTF8) if not empty else line
            if first.strip():
                break
            empty += 1
        if first.lstrip().startswith(b"["):
            yield from _array(name, first + file.read(ARRAY_MAX_BYTES + 1))
        elif _is_csv(name, first, columns):
            yield from _csv(name, chain([first], lines), columns, empty)
        else:
            for number, line in enumerate(chain([first], lines), empty + 1):
                if line.strip():
                    yield _line(line.strip(), number)


def _bounded_lines(file: IO[bytes], read: Callable[[int], None]) -> Iterator[bytes]:
    while line := file.readline(ROW_MAX_BYTES):
        size = len(line)
        if size == ROW_MAX_BYTES and not line.endswith(b"\n"):
            if line.lstrip().startswith(b"["):  # an array may well be one line
                yield line
                continue
            while (rest := file.readline(ROW_MAX_BYTES)) and not rest.endswith(b"\n"):
                size += len(rest)
            line = b"{too long\n"
        read(size)
        yield line


def _is_csv(name: str, first: bytes, columns: Columns) -> bool:
    if columns.asked or name.lower().endswith(".csv"):
        return True
    head = first.strip()
    return not head.startswith(b"{") and (b"," in head or head == columns.event_id.encode())


def _line(line: bytes, number: int) -> Row:
    if not line.startswith((b"{", b'"')):
        text = line.decode("utf-8", "replace")
        return _id_only(text if _PLAIN_ID.fullmatch(text) else None, 0, number)
    try:
        document = orjson.loads(line)
    except orjson.JSONDecodeError:
        return Row(number, fault="is neither an id nor JSON, or too long")
    if isinstance(document, dict) and not document.keys() <= _ONLY_AN_ID:
        return _event(line, number)
    if isinstance(document, dict):
        return _id_only(document.get("event_id"), document.get("timestamp"), number)
    return _id_only(document, 0, number)


def _event(body: bytes, number: int, wanted: str = "") -> Row:
    """A row with a body. `wanted`: the id that stands beside it."""
    try:
        event = parse_event(body)
    except UnreadableEvent as fault:
        row = _id_only(wanted or _id_in(body), 0, number)
        return row._replace(fault=f"its body is no event: {fault}")
    row = _id_only(wanted or event.event_id, event.timestamp, number)
    if row.event_id and row.event_id != event.event_id:
        return row._replace(timestamp=0, fault="its body is of an event with another id")
    return row._replace(body=body) if row.event_id else row


def _id_in(body: bytes) -> Any:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return document.get("event_id") if isinstance(document, dict) else None


def _id_only(event_id: Any, timestamp: Any, number: int) -> Row:
    if (
        not isinstance(event_id, str)
        or len(event_id) > EVENT_ID_MAX_CHARS
        or not _ID.fullmatch(event_id)
    ):
        return Row(number, fault="has no event id")
    return Row(number, event_id, timestamp if type(timestamp) is int and timestamp > 0 else 0)


def _csv(name: str, lines: Iterator[bytes], columns: Columns, empty: int) -> Iterator[Row]:
    csv.field_size_limit(ROW_MAX_BYTES)
    # Exact bytes: what is no UTF-8 comes out as it went in.
    reader = csv.reader(line.decode("utf-8", "surrogateescape") for line in lines)
    header = [column.strip() for column in next(reader, [])]
    _require(name, header, columns.event_id, "--id-column")
    if columns.body != BODY_COLUMN:
        _require(name, header, columns.body, "--body-column")
    while True:
        number = empty + reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as fault:
            yield Row(number, fault=f"is no CSV: {fault}")
            continue
        if cells is None:
            return
        if cells:
            yield _cells(dict(zip(header, cells, strict=False)), columns, number)


def _require(name: str, header: list[str], column: str, option: str) -> None:
    if column not in header:
        # Without a header the first line is data, which is not shown.
        known = [each for each in header if _COLUMN_NAME.fullmatch(each)]
        raise ConfigError(
            [f"{name}: has no column {column!r} ({option}){close_match(column, known)}"]
        )


def _cells(cells: dict[str, str], columns: Columns, number: int) -> Row:
    event_id = cells.get(columns.event_id, "").strip()
    if body := cells.get(columns.body, "").strip():
        return _event(body.encode("utf-8", "surrogateescape"), number, event_id)
    stamp = cells.get("timestamp", "").strip()
    seconds = int(stamp) if stamp.isascii() and stamp.isdigit() and len(stamp) < 12 else 0
    return _id_only(event_id, seconds, number)


def _array(name: str, content: bytes) -> Iterator[Row]:
    """The items of an array, each with its exact text; they are numbered, not their lines."""
    if len(content) > ARRAY_MAX_BYTES:
        raise ConfigError([f"{name}: is too long for an array; make lines of it: jq -c '.[]'"])
    try:
        text = content.decode()
        for number, item in enumerate(_items(text), 1):
            known = item.startswith(("{", '"'))
            yield _line(item.encode(), number) if known else Row(number, fault="has no event id")
    except (ValueError, RecursionError):
        raise ConfigError([f"{name}: is no JSON array"]) from None


def _items(text: str) -> Iterator[str]:
    scan, space = json.JSONDecoder().raw_decode, re.compile(r"\s*")

    def skip(at: int) -> int:
        found = space.match(text, at)
        return found.end() if found else at

    at = skip(skip(0) + 1)
    if text[at : at + 1] == "]":
        return
    while True:
        _, end = scan(text, at)
        yield text[at:end]
        at = skip(end)
        if text[at : at + 1] == "]" and skip(at + 1) == len(text):
            return
        if text[at : at + 1] != ",":
            raise ValueError("no comma")
        at = skip(at + 1)
