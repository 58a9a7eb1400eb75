"""One field of an XDM schema, written as a row of a table.

A field group is a tuple of fields. `document.py` expands them to what the Schema Registry answers,
`registry.py` to what it wants to be sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

# Adobe's ranges (help/xdm/tutorials/custom-fields-api.md); the registry tells the types by them.
_RANGES: Final[Mapping[str, tuple[int, int] | None]] = {
    "integer": None,
    "long": (-(2**53), 2**53),
    "int": (-(2**31), 2**31),
    "short": (-(2**15), 2**15),
    "byte": (-(2**7), 2**7),
}
_FORMATS: Final = {"date": "date", "date-time": "date-time"}

# Letters, digits, - and _, not starting with _ (platform.md section 5.1, last paragraph).
FIELD_NAME: Final = re.compile(r"[A-Za-z0-9-][A-Za-z0-9_-]*", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field. Made by the functions below.

    `type` is the XDM type: string, number, integer, long, int, short, byte, boolean, date,
    date-time, object, array or map (platform.md section 5.1). `children` are an object's fields;
    `items` is the element of an array or the value of a map, and has no name. `enum` is value →
    what people read; with `open_enum` it only suggests values (Adobe's `meta:enum` alone), else all
    others are refused. `data_type` is the $id of the standard data type that an object is of.
    """

    name: str
    type: str
    title: str
    description: str = ""
    required: bool = False
    children: tuple[Field, ...] = ()
    items: Field | None = None
    enum: Mapping[str, str] = field(default_factory=dict)
    open_enum: bool = False
    default: str | bool | None = None
    format: str = ""
    pattern: str = ""
    max_length: int | None = None
    data_type: str = ""


def text(
    name: str,
    title: str,
    description: str = "",
    *,
    enum: Mapping[str, str] | None = None,
    open_enum: bool = False,
    required: bool = False,
    default: str | None = None,
    format: str = "",
    pattern: str = "",
    max_length: int | None = None,
) -> Field:
    """A string. `format`: uri, uri-reference or email; dates have functions of their own."""
    return Field(
        name=name,
        type="string",
        title=title,
        description=description,
        enum=enum or {},
        open_enum=open_enum,
        required=required,
        default=default,
        format=format,
        pattern=pattern,
        max_length=max_length,
    )


def flag(name: str, title: str, description: str = "", *, default: bool | None = None) -> Field:
    """A boolean."""
    return Field(name=name, type="boolean", title=title, description=description, default=default)


def number(name: str, title: str, description: str = "", *, required: bool = False) -> Field:
    """A double."""
    return Field(name=name, type="number", title=title, description=description, required=required)


def whole(name: str, title: str, description: str = "", *, type: str = "long") -> Field:
    """A whole number: `type` is long, int, short or byte."""
    return Field(name=name, type=type, title=title, description=description)


def moment(name: str, title: str, description: str = "", *, required: bool = False) -> Field:
    """A date-time."""
    return Field(
        name=name, type="date-time", title=title, description=description, required=required
    )


def group(
    name: str, title: str, *children: Field, description: str = "", data_type: str = ""
) -> Field:
    """An object with fields of its own; no others are let in."""
    return Field(
        name=name,
        type="object",
        title=title,
        description=description,
        children=children,
        data_type=data_type,
    )


def many(name: str, title: str, item: Field, description: str = "") -> Field:
    """An array whose items are all alike."""
    return Field(name=name, type="array", title=title, description=description, items=item)


def keyed(name: str, title: str, value: Field | None = None, description: str = "") -> Field:
    """A map: any key, values all alike. A tenant's own map holds strings or integers only.

    Adobe advises fewer than 16 keys (help/xdm/tutorials/custom-fields-api.md).
    """
    value = value or text("", "Value")
    return Field(name=name, type="map", title=title, description=description, items=value)


def type_of(xdm_type: str) -> dict[str, Any]:
    """The JSON Schema of an XDM type: `type`, and `format` or range where they make the type."""
    if xdm_type == "map":
        return {"type": "object"}
    if xdm_type in ("double", "float"):
        return {"type": "number"}
    if xdm_type in _FORMATS:
        return {"type": "string", "format": _FORMATS[xdm_type]}
    if xdm_type in _RANGES:
        ends = _RANGES[xdm_type]
        limits = {} if ends is None else {"minimum": ends[0], "maximum": ends[1]}
        return {"type": "integer", **limits}
    return {"type": xdm_type}
