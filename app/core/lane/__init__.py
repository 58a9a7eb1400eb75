"""How fast, how many at once, and whether at all: what a lane learns from Platform's answers.

    pace.py         messages per second, after CUBIC: throttling answers shape it
    concurrency.py  requests under way, after Vector: round-trip times shape it
    breaker.py      failures that speak of Platform as a whole, and when they are enough

Pure: values and times in, values out. Who shares what is worker.lane's and app.store's affair.
"""

from app.core.lane.breaker import Breaker
from app.core.lane.concurrency import Concurrency
from app.core.lane.pace import FRESH, Cut, Pace, cut, messages_per_second

__all__ = [
    "FRESH",
    "Breaker",
    "Concurrency",
    "Cut",
    "Pace",
    "cut",
    "messages_per_second",
]
