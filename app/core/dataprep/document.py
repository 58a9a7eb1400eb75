"""A mapping set's file: the set in it, its digest, and the JSON to post to Platform.

A set that Platform gave out is taken as it is: alone, as the answer to a listing (`{"data":
[set]}`), as a bare list of mappings, or out of a preview request (API:data-prep, section 4.1).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from app.core.dataprep.problems import Problem, did_you_mean
from app.core.dataprep.rows import (
    DESTINATION_KEYS,
    MAX_ROWS,
    SOURCE_KEYS,
    either,
    kind_in,
    read_rows,
)
from app.core.dataprep.values import Value, as_text
from app.core.dataprep.variables import VariableInvalid, fill
from app.core.errors import MappingSetInvalid

_MAX_VERSION: Final = 2**53

# A variable's value is a plain name (variables.py); a set's name may be any text.
_PLAIN: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")

_CONTENT_TYPE: Final = "application/vnd.adobe.xed-full+json;version=1"


def rows_in(document: Value) -> list[Value]:
    """The list of rows. Raises MappingSetInvalid when there is none to read."""
    rows = set_in(document).get("mappings")
    if not isinstance(rows, list) or not rows:
        raise _invalid("the set has no list of rows under `mappings`" + _hint(document))
    if len(rows) > MAX_ROWS:
        raise _invalid(f"the set has over {MAX_ROWS} rows")
    return rows


def set_in(document: Value) -> Mapping[str, Value]:
    """The one set in a document, {} when there is none. Raises MappingSetInvalid for several."""
    if isinstance(document, list):
        sets = [each for each in document if isinstance(each, dict) and "mappings" in each]
        return _only(sets) if sets else {"mappings": document}
    if not isinstance(document, Mapping):
        return {}
    if "mappings" not in document:
        asked, listed = document.get("mappingSet"), document.get("data")
        if isinstance(asked, dict):
            return asked
        if isinstance(listed, list):
            return _only([each for each in listed if isinstance(each, dict)])
    return document


def name_in(document: Value) -> str:
    """The set's name, "" without one."""
    name = _set_or_nothing(document).get("name")
    return name if isinstance(name, str) else ""


def version_in(document: Value) -> int:
    """The set's version, 0 without one."""
    version = _set_or_nothing(document).get("version")
    return version if type(version) is int and abs(version) <= _MAX_VERSION else 0


def digest_of(document: Value) -> str:
    """Eight hex digits of what the set does: its name, version and rows, variables not filled in.

    Ids, dates and descriptions do not count: a set that comes back from Platform keeps its digest.
    """
    rows = _set_or_nothing(document).get("mappings")
    does = [_does(row) for row in rows] if isinstance(rows, list) else []
    try:
        text = json.dumps([name_in(document), version_in(document), does], sort_keys=True)
    except (TypeError, ValueError, RecursionError):  # no JSON: it does not compile either
        text = ""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def label_of(document: Value) -> str:
    """What records and dead letters name: `customerio-default@3+a1b2c3d4`.

    It also names a set that does not compile.
    """
    return f"{name_in(document) or 'unnamed'}@{version_in(document)}+{digest_of(document)}"


def with_own(document: Value, variables: Mapping[str, str]) -> dict[str, str]:
    """The variables, and the two that every set has: MAPPING_SET and MAPPING_VERSION.

    Those that are given win: examples of a set name a version of their own, for each change of a
    row would change theirs.
    """
    name = "".join(each if each in _PLAIN else "-" for each in name_in(document))[:128]
    version = f"{version_in(document)}-{digest_of(document)}"
    return {"MAPPING_SET": name or "unnamed", "MAPPING_VERSION": version, **variables}


def posted(document: Value, variables: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The JSON to POST to `/mappingSets`: current spelling, variables filled in.

    Only keys that Adobe documents for a request (platform.md section 4.1), none of those that
    Platform gives itself (ids, dates, authors, status). Raises MappingSetInvalid.
    """
    given, filled = set_in(document), with_own(document, variables or {})
    rows, problems = read_rows(rows_in(document), filled)
    body = _kept(given, ("name", "version", "inputSchema"))
    try:
        body["outputSchema"] = {"schemaRef": _schema_reference(given, filled)}
    except VariableInvalid as fault:
        problems.append(Problem(0, "set", None, f"outputSchema: {fault}"))
    if problems:
        raise MappingSetInvalid(problems)
    written = rows_in(document)
    body["mappings"] = [
        {
            "sourceType": row.kind,
            "source": as_text(row.source),
            "destination": row.destination,
            **_said(written[row.number - 1]),
        }
        for row in rows
    ]
    return body | _kept(given, ("allowNullValues", "tags"))


def _schema_reference(given: Mapping[str, Value], filled: Mapping[str, str]) -> dict[str, str]:
    """`schemaRef` of the output schema; older sets have it at the top, or only its id."""
    output = given.get("outputSchema")
    nested = output.get("schemaRef") if isinstance(output, dict) else None
    for reference in (nested, given.get("schemaRef")):
        if isinstance(reference, dict) and isinstance(reference.get("id"), str):
            named, kind = reference["id"], reference.get("contentType")
            break
    else:
        named, kind = given.get("xdmSchema"), given.get("xdmVersion")
    if not isinstance(named, str):
        raise VariableInvalid("it names no schema (schemaRef.id)")
    # Old sets say "1.0" here; the service wants the media type (section 1.4).
    media = kind if isinstance(kind, str) and kind.startswith("application/") else _CONTENT_TYPE
    return {"id": fill(named, filled), "contentType": media}


def _said(row: Mapping[str, Value]) -> dict[str, Value]:
    """What a row says beside the mapping: its name, and older identity marks where they are set."""
    texts = {
        key: row[key]
        for key in ("name", "description", "identityGroup", "namespaceCode")
        if isinstance(row.get(key), str) and row[key]
    }
    return texts | {key: True for key in ("identity", "primaryIdentity") if row.get(key) is True}


def _kept(given: Mapping[str, Value], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: given[key] for key in keys if given.get(key) is not None}


def _does(row: Value) -> Value:
    if not isinstance(row, dict):
        return row
    kind = kind_in(row) or row.get("sourceType")
    return [kind, either(row, SOURCE_KEYS), either(row, DESTINATION_KEYS)]


def _only(sets: list[dict[str, Value]]) -> Mapping[str, Value]:
    if len(sets) > 1:
        names = ", ".join(str(each.get("name") or each.get("id"))[:40] for each in sets[:5])
        raise _invalid(f"the file holds {len(sets)} mapping sets ({names}); give one of them")
    return sets[0] if sets else {}


def _set_or_nothing(document: Value) -> Mapping[str, Value]:
    try:
        return set_in(document)
    except MappingSetInvalid:
        return {}


def _hint(document: Value) -> str:
    if not isinstance(document, Mapping):
        return ""
    for key in document:
        if isinstance(key, str) and key not in ("data", "mappingSet") and key != "mappings":
            hint = did_you_mean(key, ("mappings",))
            if hint:
                return f", but there is `{key[:40]}`{hint}"
    return ""


def _invalid(message: str) -> MappingSetInvalid:
    return MappingSetInvalid([Problem(0, "set", None, message)])
