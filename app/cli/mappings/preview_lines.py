"""Previews of a batch: a line with a set and an event in, a line with record and errors out.

Pure but for the state it keeps: the last few sets, compiled.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from app.cli.mappings.finding import HARMLESS
from app.core.dataprep import MappingSet, compile_mapping_set
from app.core.dataprep.problems import Problem
from app.core.errors import MappingSetInvalid
from app.core.preview import Preview, preview
from app.core.xdm import Schema, compile_schema, schema_of_types

# Lines of one set usually follow each other; a file that takes turns needs no more than this.
_KEPT: Final = 16

Compiled = tuple[MappingSet, Schema | None]


@dataclass(slots=True)
class PreviewLines:
    """Answers `{"mappings", "input", "types"}` with `{"data", "errors"}`, as Adobe's preview does.

    `types`, path → XDM type, stands in for a schema. A set is compiled once for all the lines that
    bring it. Nothing raises: what is wrong with a line is in its answer.
    """

    _compiled: OrderedDict[bytes, Compiled | list[Problem]] = field(default_factory=OrderedDict)

    def answer(self, line: bytes, received_ms: int, now: float) -> bytes:
        """One line's answer, without a line end. Unix ms and seconds."""
        try:
            return self._answer(line, received_ms, now)
        except (ValueError, TypeError) as fault:  # orjson's: no JSON, or no value JSON can hold
            return _refused(str(fault))

    def _answer(self, line: bytes, received_ms: int, now: float) -> bytes:
        asked = orjson.loads(line)
        if not isinstance(asked, dict):
            return _refused('the line is no object: {"mappings", "input", "types"} is wanted')
        source, rows, types = asked.get("input"), asked.get("mappings"), asked.get("types")
        if not isinstance(source, dict):
            return _refused("`input` is no object: it is the event")
        if not isinstance(rows, list | dict):
            return _refused("`mappings` is no list of rows")
        if types is not None and not _is_table(types):
            return _refused("`types` is no object of path and XDM type")
        found = self._find(rows, types or None)
        if isinstance(found, list):
            return _written({}, [_of_problem(problem, rows) for problem in found])
        return answer_of(preview(*found, source, received_ms, now))

    def _find(self, rows: Any, types: Mapping[str, str] | None) -> Compiled | list[Problem]:
        key = orjson.dumps([rows, types])
        found = self._compiled.get(key)
        if found is None:
            found = self._compiled[key] = _compile(rows, types)
            if len(self._compiled) > _KEPT:
                self._compiled.popitem(last=False)
        return found


def answer_of(found: Preview) -> bytes:
    """A preview as Adobe shapes it (platform.md section 4.1)."""
    errors = [
        {
            "source": error.source,
            "destination": error.destination,
            "sourceType": error.sourceType,
            "columnName": error.columnName,
            "exception": error.exception,
        }
        for error in found.errors or ()
    ]
    return _written(found.data, errors)


def _compile(rows: Any, types: Mapping[str, str] | None) -> Compiled | list[Problem]:
    document = {"mappings": rows} if isinstance(rows, list) else rows
    try:
        schema = compile_schema(schema_of_types(types)) if types else None
        return compile_mapping_set(document, HARMLESS, types), schema
    except MappingSetInvalid as invalid:
        return list(invalid.problems)
    except ValueError as fault:
        return [Problem(0, "set", None, f"types: {fault}")]


def _of_problem(problem: Problem, rows: Any) -> dict[str, Any]:
    listed = rows if isinstance(rows, list) else rows.get("mappings")
    row: Any = {}
    if isinstance(listed, Sequence) and 0 < problem.row <= len(listed):
        row = listed[problem.row - 1]
    given = row if isinstance(row, dict) else {}
    at = f" (character {problem.column} of its {problem.place})" if problem.column else ""
    return {
        "source": given.get("source", given.get("sourceAttribute")),
        "destination": given.get("destination", given.get("destinationXdmPath")),
        "sourceType": given.get("sourceType"),
        "columnName": None,
        "exception": problem.message + at,
    }


def _refused(why: str) -> bytes:
    nothing = dict.fromkeys(("source", "destination", "sourceType", "columnName"))
    return _written({}, [{**nothing, "exception": why}])


def _written(data: Any, errors: list[dict[str, Any]]) -> bytes:
    return orjson.dumps({"data": data, "errors": errors or None})


def _is_table(types: Any) -> bool:
    return isinstance(types, dict) and all(isinstance(each, str) for each in types.values())
