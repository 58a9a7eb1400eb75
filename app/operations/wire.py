"""Answers as the console's API gives them, read back: what is not known of a later release is left
out. Each raises KeyError, TypeError, ValueError or UnreadableFrame for what is none of ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any, TypeVar

import orjson

from app.core.dead_letter import (
    Cause,
    DeadLetter,
    DeadLetterSummary,
    decode_line,
    encode_line,
)
from app.core.replay_run import Orders, ReplayRun, RunState
from app.store.audit import Entry
from app.store.dead_letters import Filter
from app.store.dead_letters.groups import Group, State
from app.store.recipes import SavedRecipe

T = TypeVar("T")


def filter_document(wanted: Filter) -> dict[str, Any]:
    """What is asked for, by the names of Filter's fields."""
    return {name: value for name, value in asdict(wanted).items() if value is not None}


def letter_document(letter: DeadLetter) -> dict[str, Any]:
    """A letter whole: the line of an export, and `edit` and `missing`."""
    document: dict[str, Any] = orjson.loads(encode_line(letter))
    return {"edit": None, **document, "missing": letter.missing}


def letter_of(document: Mapping[str, Any]) -> DeadLetter:
    found = decode_line(orjson.dumps(document))
    return replace(found, missing=document.get("missing", ""))


def summary_of(document: Mapping[str, Any]) -> DeadLetterSummary:
    return _known(DeadLetterSummary, document)


def group_of(document: Mapping[str, Any]) -> Group:
    cause = Cause(**{name: document[name] for name in Cause._fields})
    return _known(Group, {**document, "cause": cause, "state": State(document["state"])})


def run_of(document: Mapping[str, Any]) -> ReplayRun:
    orders = _known(Orders, document)
    return _known(ReplayRun, {**document, "orders": orders, "state": RunState(document["state"])})


def recipe_of(document: Mapping[str, Any]) -> SavedRecipe:
    return SavedRecipe(**{name: document[name] for name in SavedRecipe._fields})


def entry_of(document: Mapping[str, Any]) -> Entry:
    return _known(Entry, document)


def _known(kind: type[T], document: Mapping[str, Any]) -> T:
    names = [each.name for each in fields(kind)]  # type: ignore[arg-type]  # they are dataclasses
    return kind(**{name: document[name] for name in names if name in document})
