"""Objects, maps, arrays and aggregates: the page's examples, then our judgement."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.dataprep.functions.maps import to_map
from tests.core.dataprep.evaluate import value, warning

BOOK = {"author": "George R. R. Martin", "price": 17.99, "ISBN": "ISBN-978-0553801477"}
BOOK_2 = {
    "author": "Neil Gaiman", "price": 17.99, "ISBN": "ISBN-0-380-97365-0",
    "publisher": "William Morrow",
}  # fmt: skip
ADDRESS = {
    "line1": "345 park ave", "line2": "bldg 2", "City": "san jose", "State": "CA", "type": "office",
}  # fmt: skip
ADDRESSES = [ADDRESS | {"type": kind} for kind in ("home", "work", "office")]

SOURCE = {
    "n": 5, "s": "x", "o": {"a": 1, "b": "x"}, "l": [3, None, 1], "evars": {"evar": {"field1": 1}},
    "book_details": BOOK, "book_details2": BOOK_2, "address": ADDRESS, "addresses": ADDRESSES,
    "stateCode": "pa",
}  # fmt: skip

# Expressions and outputs of Adobe's function page (platform.md section 4.3).
DOCUMENTED: list[tuple[str, Any]] = [
    ("is_empty([1, null, 2, 3])", False),
    (
        "arrays_to_objects('sku', explode(\"id1|id2\", '\\\\|'), 'price', [22.5,14.35])",
        [{"sku": "id1", "price": 22.5}, {"sku": "id2", "price": 14.35}],
    ),
    ('to_object("firstName", "John", "lastName", "Doe")', {"firstName": "John", "lastName": "Doe"}),
    # The page answers with a "Doe" and a "phone" that are not in the text.
    (
        'str_to_object("firstName - John ; lastName - ; - 123 345 7890", "-", ";")',
        {"firstName": "John"},
    ),
    (
        'str_to_object("firstName - John ; lastName - ; phone - 123 456 7890", "-", ";")'
        '.get("firstName")',
        "John",
    ),
    ('contains_key("evars.evar.field1")', True),
    ("nullify()", None),
    ('get_keys({"book1": "Pride and Prejudice", "book2": "1984"})', ["book1", "book2"]),
    (
        'get_values("firstName - John , lastName - Cena , phone - 555 420 8692", "firstName", '
        '"-", ",")',
        "John",
    ),
    # The sample's result has the key too; the text, and the troubleshooting guide, the value alone.
    ('map_get_values(book_details,"author")', "George R. R. Martin"),
    ('map_has_keys(book_details,"author")', True),
    # The sample's result has the merged map under the first one's name.
    ("add_to_map(book_details, book_details2)", BOOK | {"publisher": "William Morrow"}),
    (
        'object_to_map("firstName", "John", "lastName", "Doe")',
        {"firstName": "John", "lastName": "Doe"},
    ),
    ("object_to_map(address)", ADDRESS),
    # The sample has `type` without quotes, which is a field of the source.
    ('object_to_map(addresses, "type")', {one["type"]: one for one in ADDRESSES}),
    ('array_to_map(addresses, "type")', {one["type"]: one for one in ADDRESSES}),
    ('to_map("firstName", "John", "lastName", "Doe")', {"firstName": "John", "lastName": "Doe"}),
    ('coalesce(null, null, null, "first", null, "second")', "first"),
    ('first("1", "2", "3")', "1"),
    ('last("1", "2", "3")', "3"),
    ("add_to_array(['a', 'b'], 'c', 'd')", ["a", "b", "c", "d"]),
    ("join_arrays(['a', 'b'], ['c'], ['d', 'e'])", ["a", "b", "c", "d", "e"]),
    ("to_array(false, 1, null, 2, 3)", [1, 2, 3]),
    ("size_of([1, 2, 3, 4])", 4),
    ("upsert_array_append([123, 456])", [123, 456]),
    ("upsert_array_replace([123, 456], 1)", [123, 456]),
    ('decode(stateCode, "ca", "California", "pa", "Pennsylvania", "N/A")', "Pennsylvania"),
    ('iif("s".equalsIgnoreCase("S"), "True", "False")', "True"),
    ("min(3, 1, 4)", 1),
    ("max(3, 1, 4)", 4),
]

JUDGED: list[tuple[str, Any]] = [
    (
        "is_empty('') && is_empty(missing) && is_empty([null]) && is_empty(json_to_object('{}'))",
        True,
    ),
    ("is_empty(0)", False),
    ("to_object('a', 1, 'b', null)", {"a": 1}),
    ("to_object(concat('a', 'b'), 1, null, 2)", {"ab": 1}),
    ("to_object(concat('a', ''), 1, concat('a', ''), 2)", {"a": 2}),
    ("arrays_to_object('id', ['a', 'b'], 'on', [true])", [{"id": "a", "on": True}, {"id": "b"}]),
    ("arrays_to_object('id', missing)", None),
    ("str_to_object('a:1, b:2:3,c, :4')", {"a": "1", "b": "2:3"}),
    ("str_to_object('a=1;b=2', '=', ';')", {"a": "1", "b": "2"}),
    ("str_to_object('a:1,b:2', '', null)", {"a": "1", "b": "2"}),
    ("str_to_object(missing)", None),
    ("l.get(0)", 3),
    ("o.get('z')", None),
    ("get_keys(missing)", None),
    ("get_values('a:1,b:2', 'b')", "2"),
    ("get_values(missing, 'b')", None),
    ("object_to_map(missing)", None),
    ("object_to_map('k', 1)", {"k": 1}),
    ("array_to_map([{'k': 'a', 'v': 1}, {'k': 'a', 'v': 2}], 'k')", {"a": {"k": "a", "v": 1}}),
    ("array_to_map([{'k': 7}, {'v': 1}, null], 'k')", {"7": {"k": 7}}),
    ("array_to_map(missing, 'k')", None),
    ("map_get_values(o, 'z')", None),
    ("size_of(map_get_values(o, ['b', 'z', 'a']))", 3),
    ("map_get_values(missing, 'a')", None),
    ("map_get_values(o, missing)", None),
    ("map_has_keys(o, ['z', 'a'])", True),
    ("map_has_keys(o, 'z')", False),
    ("map_has_keys(missing, 'z') || map_has_keys(o, missing)", False),
    ("add_to_map(o, {'a': 2, 'c': 3}, null)", {"a": 1, "b": "x", "c": 3}),
    ("last(l)", 1),
    ("first([])", None),
    ("last(missing)", None),
    ("add_to_array(missing, 'x')", ["x"]),
    ("join_arrays(['a'], null, ['b'])", ["a", "b"]),
    ("size_of(to_array(true, 1, null))", 2),
    ("size_of(missing) + size_of('ab') + size_of(o)", 4),
    ("min(3, '1', null)", 1),
    ("max(l)", 3),
    ("max('a', 'b')", "b"),
    ("min(date('2020-01-02'), date('2020-01-01'))", "2020-01-01T00:00:00Z"),
    ("min(null)", None),
]


@pytest.mark.parametrize(("expression", "result"), DOCUMENTED + JUDGED)
def test_a_function_of_objects_answers(expression: str, result: Any) -> None:
    assert value(expression, SOURCE) == result


@pytest.mark.parametrize(
    ("expression", "detail"),
    [
        ("arrays_to_object('a')", "names and arrays must come in pairs"),
        ("arrays_to_object('a', s)", "a string where an array is needed"),
        (
            "arrays_to_object('a', b, 'b', b, 'c', b, 'd', b, 'e', b, 'f', b, 'g', b, 'h', b, "
            "'i', b, 'j', b, 'k', b)",
            "arrays that come to over 1000000 values",
        ),
        ("get_keys(l)", "an array where an object is needed"),
        ("object_to_map('a', 1, 'b')", "keys and values must come in pairs"),
        ("object_to_map(addresses, type)", "the name of the field is null: write it in quotes"),
        ("array_to_map(s, 'k')", "a string where an array is needed"),
        ("array_to_map([1], 'k')", "a number where an object is needed"),
        ("add_to_array(s, 1)", "a string where an array is needed"),
        ("join_arrays(b, b)", "an array over 100000 items"),
        ("size_of(n)", "a number has no size"),
        ("min('a', 1)", "a string that is no number"),
        ("max(o, 1)", "an object where a number is needed"),
    ],
)
def test_a_function_of_objects_says_what_it_cannot_do(expression: str, detail: str) -> None:
    assert warning(expression, SOURCE | {"b": [1] * 99_000}) == detail


def test_a_map_of_null_is_null() -> None:
    """Documented; the compiler wants pairs, so that only another function can ask it."""
    assert to_map(None) is None


def test_a_map_is_not_too_large() -> None:
    one, two = ({f"{side}{n}": n for n in range(60_000)} for side in "ab")

    assert warning("add_to_map(one, two)", {"one": one, "two": two}) == "a map over 100000 keys"
