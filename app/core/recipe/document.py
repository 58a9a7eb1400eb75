"""A recipe's YAML text: read strictly, with every fault at once, each naming the field and the fix.

Plain words mean what they do in YAML 1.2: `no`, `12:30`, `010` and `2026-01-31` are texts, and not
false, 750, 8 and a date. There are no anchors: a few lines of them can be gigabytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import partial
from typing import Any, Final

import orjson
import yaml

from app.core.errors import RecipeInvalid
from app.core.moments import moment_ms, span_ms
from app.core.recipe.steps import ABSENT, TYPES, VERBS, Step, key_of
from app.core.replay_run import DEFAULT_RATE, DEFAULT_STOP_AT, DEFAULT_STOP_LEAST, Orders

NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
TEXT_MAX: Final = 65_536
STEPS_MAX: Final = 50
RATE_MAX: Final = 100_000

# A saved recipe names nobody: there is no `person`.
_WORDS: Final = ("connection", "class", "group", "kind", "code", "campaign", "event_id", "mapping",
                 "text", "older", "newer", "from", "to")  # fmt: skip
_TIMES: Final[Mapping[str, Callable[[str], int]]] = {
    "older": span_ms, "newer": span_ms, "from": moment_ms, "to": moment_ms,
}  # fmt: skip
_KEYS: Final = ("about", "selection", "mapping", "steps", "rate", "stop")
_MAPPING: Final = re.compile(r"[^@+\s]+@\d+(\+[0-9a-f]{8})?")
_NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "set": ("value",), "rename": ("to",), "cast": ("to",), "drop": (), "map_value": ("values",),
}  # fmt: skip
_MAY: Final[Mapping[str, tuple[str, ...]]] = {"map_value": ("default",)}


@dataclass(frozen=True, slots=True)
class Recipe:
    """`selection`: words of `sluice dead-letters replay`, {} = all. `mapping`: the version that
    must be at work where a letter is put, as `NAME@VERSION` or a whole label; "" = any."""

    selection: Mapping[str, Any]
    steps: tuple[Step, ...]
    mapping: str = ""
    orders: Orders = field(default_factory=Orders)
    about: str = ""

    def fits(self, label: str) -> bool:
        """Whether a mapping set's version is the one that is wanted."""
        wanted = self.mapping
        return not wanted or label == wanted or label.startswith(f"{wanted}+")


def made_by(name: str, version: int) -> str:
    """How a run, and a replayed event's history, name a recipe."""
    return f"{name}@{version}"


def read_recipe(text: str) -> Recipe:
    """Raises RecipeInvalid."""
    document = _parsed(text)
    faults: list[str] = []
    _no_others("", document, _KEYS, faults)
    about = document.get("about", "")
    if not isinstance(about, str):
        faults.append("about: a text")
    mapping = document.get("mapping", "")
    if mapping != "" and not (isinstance(mapping, str) and _MAPPING.fullmatch(mapping)):
        faults.append("mapping: write NAME@VERSION, such as customerio-default@3")
    selection = _selection(document.get("selection"), faults)
    steps = _steps(document.get("steps", []), faults)
    if not document.get("steps") and not mapping:
        faults.append("steps: say what to change, or `mapping: NAME@VERSION` to replay as it is")
    orders = _orders(document, faults)
    if faults:
        raise RecipeInvalid(faults)
    return Recipe(selection, steps, mapping, orders, about)


class _Loader(yaml.SafeLoader):
    """YAML 1.2's plain words, no anchors, and no key twice."""

    # PyYAML's way to say: none of those that the base has.
    yaml_implicit_resolvers: Any = {}  # noqa: RUF012  # declared so by the base

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()  # type: ignore[no-untyped-call]  # PyYAML's
        if getattr(event, "anchor", None) is not None:
            raise yaml.composer.ComposerError(
                None, None, "anchors and aliases are not taken", event.start_mark
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Any:
        if all(isinstance(key, yaml.ScalarNode) for key, _ in node.value):
            made = super().construct_mapping(node, deep=deep)
            # Python takes 1, 1.0 and true for one.
            if len(made) == len(node.value):
                return made
        raise yaml.constructor.ConstructorError(
            None, None, "a key stands twice, or is no plain word", node.start_mark
        )


for _tag, _words in (
    ("null", r"~|null|"),
    ("bool", r"true|false"),
    ("int", r"-?(?:0|[1-9][0-9]*)"),
    ("float", r"-?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][-+]?[0-9]+)?"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_words})$"), None)


def _parsed(text: str) -> dict[str, Any]:
    if len(text) > TEXT_MAX:
        raise RecipeInvalid([f"the recipe: {len(text):,} characters, at most {TEXT_MAX:,}"])
    try:
        document = yaml.load(text, _Loader)
    except yaml.YAMLError as fault:
        raise RecipeInvalid([f"the recipe is no YAML: {_told(fault)}"]) from None
    except (RecursionError, ValueError):
        raise RecipeInvalid(["the recipe: nested too deeply, or a word no value"]) from None
    if not isinstance(document, dict):
        raise RecipeInvalid([f"the recipe: an object with the keys {', '.join(_KEYS)}"])
    return document


def _told(fault: yaml.YAMLError) -> str:
    if isinstance(fault, yaml.reader.ReaderError):
        return f"character {fault.position + 1} is none that YAML knows"
    mark, problem = getattr(fault, "problem_mark", None), getattr(fault, "problem", None)
    place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    return f"{place}{problem or type(fault).__name__}"


def _no_others(
    at: str, found: Mapping[Any, Any], known: tuple[str, ...], faults: list[str]
) -> None:
    for key in found:
        if key not in known:
            close = get_close_matches(str(key), known, 1)
            hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
            faults.append(f"{at}{key}: there is no such key; {hint}")


def _selection(found: Any, faults: list[str]) -> dict[str, Any]:
    if not isinstance(found, dict) or not found:
        faults.append("selection: say which dead letters, such as `class: mapping`, or `all: true`")
        return {}
    _no_others("selection.", found, (*_WORDS, "run", "all"), faults)
    for word in _WORDS:
        if word in found and not (isinstance(found[word], str) and found[word]):
            faults.append(f"selection.{word}: a text; put it in quotes")
        elif word in found and (read := _TIMES.get(word)):
            _try(f"selection.{word}", partial(read, found[word]), faults)
    if "run" in found and (type(found["run"]) is not int or found["run"] < 1):
        faults.append("selection.run: the number of a replay run")
    if "all" in found and (found["all"] is not True or len(found) > 1):
        faults.append("selection.all: `all: true` stands alone; leave it out where others narrow")
    return {word: value for word, value in found.items() if word != "all"}


def _try(at: str, make: Callable[[], object], faults: list[str]) -> None:
    try:
        make()
    except ValueError as fault:
        faults.append(f"{at}: {fault}")


def _steps(found: Any, faults: list[str]) -> tuple[Step, ...]:
    if not isinstance(found, list) or len(found) > STEPS_MAX:
        faults.append(f"steps: a list of at most {STEPS_MAX} steps")
        return ()
    steps = [_step(f"steps.{number}", each, faults) for number, each in enumerate(found, 1)]
    return tuple(step for step in steps if step is not None)


def _step(at: str, found: Any, faults: list[str]) -> Step | None:
    verbs = [verb for verb in VERBS if isinstance(found, dict) and verb in found]
    if len(verbs) != 1:
        faults.append(f"{at}: one of {', '.join(VERBS)}, and its place: `drop: /data/a`")
        return None
    [verb], before = verbs, len(faults)
    needs = _NEEDS[verb]
    _no_others(f"{at}.", found, (verb, *needs, *_MAY.get(verb, ()), "optional"), faults)
    faults += [f"{at}.{key}: {verb} needs it" for key in needs if key not in found]
    _place(f"{at}.{verb}", found[verb], faults)
    if type(found.get("optional", False)) is not bool:
        faults.append(f"{at}.optional: true or false")
    if found[verb] == "/event_id":
        faults.append(f"{at}.{verb}: the event_id must stay what it is")
    if len(faults) > before:
        return None
    value = found.get("value", found.get("default", ABSENT))
    return _with(
        at, Step(verb, found[verb], value, optional=found.get("optional", False)), found, faults
    )


def _with(at: str, step: Step, found: Mapping[str, Any], faults: list[str]) -> Step:
    """The step with what its verb needs."""
    value, to, table = step.value, found.get("to", ""), dict[bytes, Any]()
    if value is not ABSENT:
        value = _json(f"{at}.{'value' if step.verb == 'set' else 'default'}", value, faults)
    if step.verb == "rename":
        _place(f"{at}.to", to, faults)
        if isinstance(to, str) and f"{to}/".startswith(f"{step.path}/"):
            faults.append(f"{at}.to: another place, and not within the first")
    elif step.verb == "cast" and to not in TYPES:
        faults.append(f"{at}.to: one of {', '.join(TYPES)}")
    elif step.verb == "map_value":
        table = _table(f"{at}.values", found["values"], faults)
    return Step(step.verb, step.path, value, to, table, step.optional)


def _table(at: str, found: Any, faults: list[str]) -> dict[bytes, Any]:
    if not isinstance(found, dict) or not found:
        faults.append(f'{at}: an object, such as {{"old": "new"}}')
        return {}
    return {
        key_of(_json(at, key, faults)): _json(f"{at}.{key}", value, faults)
        for key, value in found.items()
    }


def _json(at: str, value: Any, faults: list[str]) -> Any:
    try:
        return orjson.loads(orjson.dumps(value, option=orjson.OPT_PASSTHROUGH_DATETIME))
    except TypeError:
        faults.append(f"{at}: no JSON value; put it in quotes")
        return None


def _place(at: str, found: Any, faults: list[str]) -> None:
    if not isinstance(found, str) or not re.fullmatch(r"(/([^~]|~[01])*)+", found):
        faults.append(f"{at}: a JSON pointer, such as /data/recipient (~1 is /, ~0 is ~)")


def _orders(document: Mapping[str, Any], faults: list[str]) -> Orders:
    rate, stop = document.get("rate", DEFAULT_RATE), document.get("stop", {})
    if not _number(rate, 0.1, RATE_MAX):
        faults.append(f"rate: events per second, 0.1 to {RATE_MAX:,}")
    if not isinstance(stop, dict):
        faults.append("stop: an object, such as {at: 0.2, least: 100}")
        return Orders()
    _no_others("stop.", stop, ("at", "least"), faults)
    share, least = stop.get("at", DEFAULT_STOP_AT), stop.get("least", DEFAULT_STOP_LEAST)
    if not _number(share, 0, 1):
        faults.append("stop.at: the share that may die again, 0 to 1")
    if type(least) is not int or least < 1:
        faults.append("stop.least: how many must be settled before the share is judged, 1 or more")
    return Orders() if faults else Orders(float(rate), float(share), least)


def _number(value: Any, least: float, most: float) -> bool:
    return type(value) in (int, float) and least <= value <= most
