"""`python -m tests.bench.programs.mapping_cost BODY_BYTES`: what mapping an event costs.

Transform and XDM check of the default set over every kind of event, beside orjson.loads and
orjson.dumps of the same bodies. Prints CPU seconds per event, and seconds of a compile.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import orjson

from app.sandbox.traffic import generate
from tests.bench.programs.mapping import compiled, documents

_EVENTS: Final = 2_000
_TURNS: Final = 25


def main() -> None:
    files = documents()
    began = time.process_time()
    mapping, schema = compiled(files)
    compile_seconds = time.process_time() - began
    bodies = list(generate(4, _EVENTS, body_bytes=int(sys.argv[1]) or None))
    events = [orjson.loads(body) for body in bodies]
    now = time.time()

    def mapped(document: dict[str, Any]) -> None:
        schema.check(mapping.transform(document).record, now)

    def parsed(body: bytes) -> None:
        orjson.dumps(orjson.loads(body))

    ours, theirs = [], []
    # Turn by turn: what disturbs one disturbs the other.
    for _ in range(_TURNS):
        ours.append(_seconds(mapped, events))
        theirs.append(_seconds(parsed, bodies))
    print(json.dumps({"mapped": min(ours), "parsed": min(theirs), "compile": compile_seconds}))


def _seconds(work: Callable[[Any], None], items: Sequence[Any]) -> float:
    began = time.process_time()
    for item in items:
        work(item)
    return (time.process_time() - began) / len(items)


if __name__ == "__main__":
    main()
