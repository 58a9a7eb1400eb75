"""A dead letter as one line of NDJSON: in exports, and in the files that old ones are spilled to.

`body` and `record` are the exact bytes: as text where they are UTF-8, else as `body_base64`. An
`edit` stands beside them; spill files have none, for it may change while the file does not.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import asdict, fields
from typing import Any, Final

import orjson

from app.core.batch import AttemptRun
from app.core.dead_letter.edit import Edit
from app.core.dead_letter.letter import DeadLetter, DeadLetterSummary
from app.core.errors import UnreadableFrame

_FIELDS: Final = {each.name: each.type for each in fields(DeadLetterSummary)}
_RUN_NUMBERS: Final = frozenset(("first_ms", "last_ms", "times", "status"))


def encode_line(letter: DeadLetter, **more: Any) -> bytes:
    """The line, newline included. `more`: further keys, for readers; nothing reads them back."""
    document: dict[str, Any] = {**asdict(letter.summary), **more}
    document["attempts"] = [run._asdict() for run in letter.history]
    if letter.edit is not None:
        who, at_ms, patch = letter.edit
        document["edit"] = {"who": who, "at_ms": at_ms, "patch": orjson.Fragment(patch)}
    _put(document, "body", letter.body)
    if letter.record is not None:
        _put(document, "record", letter.record)
    return orjson.dumps(document) + b"\n"


def decode_line(line: bytes) -> DeadLetter:
    """Raises UnreadableFrame naming the field that is wrong."""
    try:
        document = orjson.loads(line)
    except orjson.JSONDecodeError as fault:
        raise UnreadableFrame(f"the line is not JSON: {fault.msg}") from None
    if not isinstance(document, dict):
        raise UnreadableFrame("the line is no JSON object")
    values = {name: _field(document, name, str(kind)) for name, kind in _FIELDS.items()}
    body = _take(document, "body")
    if body is None:
        raise UnreadableFrame("body is absent")
    runs = document.get("attempts", [])
    if not isinstance(runs, list):
        raise UnreadableFrame("attempts is no list")
    record, edit = _take(document, "record"), _edit(document.get("edit"))
    return DeadLetter(DeadLetterSummary(**values), body, record, tuple(map(_run, runs)), edit=edit)


def _field(document: dict[str, Any], name: str, kind: str) -> Any:
    if kind != "int":
        value = document.get(name, "")
        if not isinstance(value, str):
            raise UnreadableFrame(f"{name} is no text")
        return value
    number = document.get(name, 0)
    if type(number) is not int or not 0 <= number < 2**53:
        raise UnreadableFrame(f"{name} is no integer from 0 on")
    return number


def _run(value: Any) -> AttemptRun:
    if not isinstance(value, dict):
        raise UnreadableFrame("an attempt is no object")
    return AttemptRun(
        **{
            name: _field(value, name, "int" if name in _RUN_NUMBERS else "str")
            for name in AttemptRun._fields
        }
    )


def _edit(value: Any) -> Edit | None:
    if value is None:
        return None
    if not isinstance(value, dict) or not isinstance(value.get("patch"), list):
        raise UnreadableFrame("edit is no object with a patch, which is a list")
    who, at_ms = _field(value, "who", "str"), _field(value, "at_ms", "int")
    return Edit(who, at_ms, orjson.dumps(value["patch"]))


def _put(document: dict[str, Any], name: str, content: bytes) -> None:
    try:
        document[name] = content.decode("utf-8")
    except UnicodeDecodeError:
        document[f"{name}_base64"] = b64encode(content).decode()


def _take(document: dict[str, Any], name: str) -> bytes | None:
    text, packed = document.get(name), document.get(f"{name}_base64")
    if isinstance(text, str):
        return text.encode("utf-8")
    if packed is None and text is None:
        return None
    try:
        if isinstance(packed, str):
            return b64decode(packed, validate=True)
    except ValueError:
        pass
    raise UnreadableFrame(f"{name} is neither text nor base64")
