"""JSON Patch: the examples of RFC 6902's appendix A, and what must be refused."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from app.core.dead_letter import edited
from app.core.errors import PatchInvalid
from app.core.json_patch import apply_patch

# (document, patch, result), by the number of RFC 6902's example.
EXAMPLES: dict[str, tuple[Any, Any, Any]] = {
    "A.1": ({"foo": "bar"}, [{"op": "add", "path": "/baz", "value": "qux"}],
            {"baz": "qux", "foo": "bar"}),
    "A.2": ({"foo": ["bar", "baz"]}, [{"op": "add", "path": "/foo/1", "value": "qux"}],
            {"foo": ["bar", "qux", "baz"]}),
    "A.3": ({"baz": "qux", "foo": "bar"}, [{"op": "remove", "path": "/baz"}], {"foo": "bar"}),
    "A.4": ({"foo": ["bar", "qux", "baz"]}, [{"op": "remove", "path": "/foo/1"}],
            {"foo": ["bar", "baz"]}),
    "A.5": ({"baz": "qux", "foo": "bar"}, [{"op": "replace", "path": "/baz", "value": "boo"}],
            {"baz": "boo", "foo": "bar"}),
    "A.6": ({"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "grault"}},
            [{"op": "move", "from": "/foo/waldo", "path": "/qux/thud"}],
            {"foo": {"bar": "baz"}, "qux": {"corge": "grault", "thud": "fred"}}),
    "A.7": ({"foo": ["all", "grass", "cows", "eat"]},
            [{"op": "move", "from": "/foo/1", "path": "/foo/3"}],
            {"foo": ["all", "cows", "eat", "grass"]}),
    "A.8": ({"baz": "qux", "foo": ["a", 2, "c"]},
            [{"op": "test", "path": "/baz", "value": "qux"},
             {"op": "test", "path": "/foo/1", "value": 2}],
            {"baz": "qux", "foo": ["a", 2, "c"]}),
    "A.10": ({"foo": "bar"}, [{"op": "add", "path": "/child", "value": {"grandchild": {}}}],
             {"foo": "bar", "child": {"grandchild": {}}}),
    "A.11": ({"foo": "bar"}, [{"op": "add", "path": "/baz", "value": "qux", "xyz": 123}],
             {"foo": "bar", "baz": "qux"}),
    "A.14": ({"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": 10}],
             {"/": 9, "~1": 10}),
    "A.16": ({"foo": ["bar"]}, [{"op": "add", "path": "/foo/-", "value": ["abc", "def"]}],
             {"foo": ["bar", ["abc", "def"]]}),
    "copy": ({"a": [1]}, [{"op": "copy", "from": "/a", "path": "/b"},
                          {"op": "add", "path": "/b/0", "value": 0}], {"a": [1], "b": [0, 1]}),
    "whole": ({"a": 1}, [{"op": "replace", "path": "", "value": [2]}], [2]),
    "last": ({"a": [1, 2]}, [{"op": "replace", "path": "/a/1", "value": 3}], {"a": [1, 3]}),
}  # fmt: skip


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples(name: str) -> None:
    document, patch, result = EXAMPLES[name]
    before = orjson.dumps(document)
    assert apply_patch(document, patch) == result
    assert orjson.dumps(document) == before


def test_a_replaced_key_stays_where_it_was() -> None:
    patched = apply_patch({"a": 1, "b": 2}, [{"op": "replace", "path": "/a", "value": 3}])
    assert list(patched) == ["a", "b"]


@pytest.mark.parametrize(
    ("patch", "says"),
    [
        ({}, "a list"),
        ([{"op": "add", "path": "/a/b/c", "value": 1}], "operation 1: /a/b does not exist"),
        ([{"op": "test", "path": "/a", "value": 1}], "another value"),
        ([{"op": "test", "path": "/yes", "value": 1}], "another value"),
        ([{"op": "remove", "path": "/none"}], "/none does not exist"),
        ([{"op": "replace", "path": "/none", "value": 1}], "/none does not exist"),
        ([{"op": "move", "from": "/a", "path": "/a/b"}], "into itself"),
        ([{"op": "add", "path": "/list/7", "value": 1}], "no position"),
        ([{"op": "add", "path": "/list/01", "value": 1}], "no position"),
        ([{"op": "remove", "path": "/list/-"}], "no position"),
        ([{"op": "add", "path": "/list/9999999999", "value": 1}], "no position"),
        ([{"op": "add", "path": "a", "value": 1}], "begins with /"),
        ([{"op": "add", "path": 7, "value": 1}], "begins with /"),
        ([{"op": "add", "path": "/a"}], "value is absent"),
        ([{"op": "copy", "path": "/a"}], "from is absent"),
        ([{"op": ["add"], "path": "/a"}], "op is not one of"),
        ([{"op": "add", "path": "/text/x", "value": 1}], "neither object nor list"),
        (["x"], "no object"),
        ([{"op": "test", "path": "", "value": 1}] * 1_001, "at most"),
    ],
)
def test_what_cannot_be_applied_says_why(patch: Any, says: str) -> None:
    document = {"a": {"x": 1}, "yes": True, "list": [1], "text": "t"}
    with pytest.raises(PatchInvalid, match=says):
        apply_patch(document, patch)


def test_a_document_nested_beyond_reason_is_refused() -> None:
    deep: Any = []
    for _ in range(900):
        deep = [deep]
    with pytest.raises(PatchInvalid, match="nested"):
        apply_patch(deep, [])


@pytest.mark.parametrize(
    ("body", "patch", "says"),
    [
        (b"garbage", b"[]", "body is not JSON"),
        (b"{}", b"garbage", "patch is not JSON"),
        (b"{}", b'[{"op":"replace","path":"","value":[]}]', "no object"),
        (b'{"event_id":"a"}', b'[{"op":"remove","path":"/event_id"}]', "event_id must stay"),
        (b'{"event_id":"a"}', b'[{"op":"add","path":"/event_id","value":"b"}]', "must stay"),
    ],
)
def test_an_edit_leaves_an_event_an_event_of_the_same_id(
    body: bytes, patch: bytes, says: str
) -> None:
    with pytest.raises(PatchInvalid, match=says):
        edited(body, patch)


def test_an_event_id_can_be_given_where_there_was_none() -> None:
    patch = b'[{"op":"add","path":"/event_id","value":"b"}]'
    assert edited(b'{"event_id":7}', patch) == b'{"event_id":"b"}'
