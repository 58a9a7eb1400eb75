"""`python -m tests.bench.programs.floor FRAMES`: the least that an event can cost.

orjson.loads, the compiled transform, orjson.dumps, and nothing else. Prints CPU seconds per event.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import orjson

from app.core.batch import decode
from tests.bench.corpus import read_frames
from tests.bench.programs.mapping import compiled


def main() -> None:
    transform = compiled()[0].transform
    seconds, events = 0.0, 0
    for frame in read_frames(Path(sys.argv[1])):
        bodies = decode(frame).bodies
        began = time.process_time()
        for body in bodies:
            orjson.dumps(transform(orjson.loads(body)).record)
        seconds += time.process_time() - began
        events += len(bodies)
    print(json.dumps({"seconds_per_event": seconds / events, "events": events}))


if __name__ == "__main__":
    main()
