"""What holds for every function: it answers or faults, soon, and leaves its input alone."""

from __future__ import annotations

import copy
import inspect
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.dataprep import compile_mapping_set
from app.core.dataprep.functions import FUNCTIONS, FUNCTIONS_OF_EVENT, REFUSED
from app.core.dataprep.values import Occasion, RowFault
from app.core.errors import MappingSetInvalid
from tests.core.dataprep.evaluate import row

# Texts that functions look at more closely, beside any text at all.
_TEXTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["", " ", "5", "-1", "1e308", "99999999999999999999", "a,b;c", "a:1,b:2", "https://a/?b#c",
         "http://[::1", "2021-02-03", "0001-01-01", "9999-12-31T23:59:59Z", "yyyy-MM-dd", "[E]'",
         "(a+)+b", "[a-z", "\\Q", "UTC", "+18:00", "Europe/Berlin", "m", "yy", '{"a": [1]}',
         "\ud800", "retain", "UTF-16", "x" * 2000, "%41%zz"]
    ),
)  # fmt: skip
_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), _TEXTS, st.just(10**400),
    st.datetimes(timezones=st.just(UTC)),
)  # fmt: skip
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4),
    max_leaves=8,
)

_EVERY = FUNCTIONS | FUNCTIONS_OF_EVENT


def _deep(levels: int) -> Any:
    value: Any = 1
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


def _is_value(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_is_value, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_value(child) for key, child in value.items())
    return value is None or isinstance(value, bool | int | float | str | datetime)


def _call(name: str, arguments: list[Any]) -> Any:
    """What a call gives: ("value", it) or ("fault", its text)."""
    occasion = [Occasion({"a": 1}, 7)] if name in FUNCTIONS_OF_EVENT else []
    try:
        found = _EVERY[name](*occasion, *arguments)
    except RowFault as fault:
        return ("fault", str(fault))
    return ("value", found)


def _places(name: str) -> tuple[int, int]:
    """How few and how many arguments to try."""
    parameters = list(inspect.signature(_EVERY[name]).parameters.values())
    if name in FUNCTIONS_OF_EVENT:
        parameters = parameters[1:]
    least = sum(p.default is p.empty and p.kind is not p.VAR_POSITIONAL for p in parameters)
    endless = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    return least, 6 if endless else len(parameters)


@pytest.mark.parametrize("name", sorted(_EVERY))
@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(data=st.data())
def test_any_arguments_give_a_value_or_a_fault(name: str, data: st.DataObject) -> None:
    least, most = _places(name)
    arguments = data.draw(st.lists(_VALUES, min_size=least, max_size=most))
    before = copy.deepcopy(arguments)

    first, again = _call(name, arguments), _call(name, arguments)

    assert first[0] == "fault" or _is_value(first[1])
    assert repr(first) == repr(again)
    assert repr(arguments) == repr(before)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_deep_and_long_arguments_give_a_value_or_a_fault(name: str) -> None:
    least, most = _places(name)
    for value in (_deep(900), "a" * 200_000, [1] * 100_000, {"a": _deep(300)}, 10**5000):
        for count in {least, most}:
            for place in range(count):
                _call(name, [value if at == place else "1" for at in range(count)])
            _call(name, [value] * count)


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_computed_here_is_refused_with_a_reason(name: str) -> None:
    with pytest.raises(MappingSetInvalid) as invalid:
        compile_mapping_set({"mappings": [row(f"{name}(a)")]})

    assert f"{name}() cannot be used here: {REFUSED[name]}" in str(invalid.value)


def test_every_function_of_the_reference_is_here_or_refused() -> None:
    """The names of platform.md section 4.3, those written out by the compiler among them."""
    known = {*_EVERY, *REFUSED, "coalesce", "iif", "decode", "contains_key", "nullify"}

    assert known >= {
        "concat", "explode", "instr", "replacestr", "substr", "lower", "lcase", "upper", "ucase",
        "split", "join", "lpad", "rpad", "left", "right", "ltrim", "rtrim", "trim", "equals",
        "equalsIgnoreCase", "extract_regex", "matches_regex", "sha1", "sha256", "sha512", "md5",
        "crc32", "get_url_protocol", "get_url_host", "get_url_port", "get_url_path",
        "get_url_query_str", "get_url_encoded", "get_url_decoded", "now", "timestamp", "format",
        "dformat", "date", "date_part", "set_date_part", "make_date_time", "make_timestamp",
        "zone_date_to_utc", "zone_date_to_zone", "is_empty", "arrays_to_object", "to_object",
        "str_to_object", "contains_key", "nullify", "get_keys", "get_values", "to_map",
        "object_to_map", "array_to_map", "map_get_values", "map_has_keys", "add_to_map",
        "coalesce", "first", "last", "add_to_array", "join_arrays", "to_array", "size_of",
        "upsert_array_append", "upsert_array_replace", "iif", "decode", "min", "max", "to_bigint",
        "to_decimal", "to_float", "to_integer", "json_to_object", "uuid", "guid", "fpid_to_ecid",
        "ua_os_name", "ua_os_version", "ua_os_version_major", "ua_os_name_version",
        "ua_agent_name", "ua_agent_version", "ua_agent_version_major", "ua_device_class",
        "array_to_string", "filterArray", "transformArray", "flattenArray",
        "aa_get_event_id", "aa_get_product_names",
    }  # fmt: skip


def test_every_function_has_its_cases_in_this_folder() -> None:
    text = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    tried = set(re.findall(r"\b(\w+)\(", text)) | set(re.findall(r'"(ua_\w+)"', text))

    assert set(_EVERY) - tried == set()
