"""The engine against Adobe's pages: tests/fixtures/dataprep."""

from __future__ import annotations

import re

import pytest

from app.core.dataprep import compile_mapping_set
from app.core.errors import MappingSetInvalid
from app.core.xdm.types import types_of
from tests.core.dataprep.default_set import read
from tests.core.dataprep.reference import CASES, GOOD, REFUSED, SCHEMA

_CALL = re.compile(r"(\w+)\(")


@pytest.mark.parametrize("name", GOOD)
def test_a_record_is_what_the_page_says(name: str) -> None:
    case = CASES[name]

    record, warnings = compile_mapping_set({"mappings": case["rows"]}, {}, types_of(SCHEMA)).trial(
        case["event"], 0
    )

    assert record == case["record"], case["page"]
    assert len(warnings) == case.get("fails", 0)


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_page_allows_not_is_refused(name: str) -> None:
    with pytest.raises(MappingSetInvalid):
        compile_mapping_set({"mappings": CASES[name]["rows"]}, {}, types_of(SCHEMA))


def test_every_function_of_the_default_set_has_a_case() -> None:
    rows = read("mappings/customerio-default.json")["mappings"]
    used = {
        name
        for row in rows
        if row["sourceType"] == "EXPRESSION"
        # Texts hold regular expressions, which have brackets too.
        for name in _CALL.findall(re.sub(r'"[^"]*"', '""', row["source"]))
    }
    tried = {
        name
        for case in CASES.values()
        for row in case["rows"]
        for name in _CALL.findall(row["source"])
    }
    assert used - tried - {"and", "or", "not"} == set()
    assert len(used) > 20
