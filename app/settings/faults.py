"""How a wrong setting is said: one line each, naming file, key and fix. Never a secret's value."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

Location = Sequence[str | int]


def close_match(name: str, known: Iterable[str]) -> str:
    """`; did you mean X?`, or the known names when none is near."""
    names = sorted(known)
    near = get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; known: {', '.join(names)}" if names else ""


def dotted(location: Location) -> str:
    """`("platform", "schema", "id")` as `platform.schema.id`, list places as `[0]`."""
    text = ""
    for part in location:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def lines_of(error: ValidationError, model: type[BaseModel], where: str) -> list[str]:
    """Every fault pydantic found in a document checked against `model`, one line each."""
    return [
        f"{where}: {_line(tuple(found['loc']), found['type'], found['msg'], model, found['input'])}"
        for found in error.errors(include_url=False, include_context=False)
    ]


def _line(
    location: tuple[str | int, ...], kind: str, message: str, model: type[BaseModel], given: object
) -> str:
    key = dotted(location)
    if kind == "extra_forbidden":
        return f"{key}: unknown key{close_match(str(location[-1]), _keys_at(model, location[:-1]))}"
    field = _field_at(model, location)
    meaning = f"; it is {field.description}" if field and field.description else ""
    if kind == "missing":
        return f"{key}: missing{meaning}"
    if kind == "value_error":
        text = message.removeprefix("Value error, ")
        return f"{key}: {text}" if key else text
    # A value that is a structure, or sits where secrets do, is not shown.
    shown = f"is {given!r}: " if isinstance(given, (str, int, float)) and _public(field) else ""
    return f"{key}: {shown}{message[:1].lower()}{message[1:]}{meaning}"


def _public(field: FieldInfo | None) -> bool:
    return field is not None and field.repr


def _keys_at(model: type[BaseModel], location: Location) -> list[str]:
    for part in location:
        field = _named(model, part)
        inner = model_in(field.annotation) if field else None
        if inner is not None:
            model = inner
    # What is excluded is filled in by us.
    fields = model.model_fields.items()
    return [field.alias or name for name, field in fields if not field.exclude]


def _field_at(model: type[BaseModel], location: Location) -> FieldInfo | None:
    field: FieldInfo | None = None
    for part in location:
        found = _named(model, part)
        if found is None:
            continue
        field = found
        model = model_in(found.annotation) or model
    return field


def _named(model: type[BaseModel], part: str | int) -> FieldInfo | None:
    for name, field in model.model_fields.items():
        if part == (field.alias or name):
            return field
    return None


def model_in(annotation: object) -> type[BaseModel] | None:
    """The model that a field's type is, or holds, or may be."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if typing.get_origin(annotation) in (typing.Union, types.UnionType, tuple, list):
        for inner in typing.get_args(annotation):
            if found := model_in(inner):
                return found
    return None
