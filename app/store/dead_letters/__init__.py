"""Dead letters in Redis. One API under all faces.

letters.py   count, find, page, get, replay, discard
pages.py     a page at a time, by any combination of fields
filter.py    which are meant
groups.py    causes: how many, since when, what is affected, notes, known, resolved
causes.py    causes by their fingerprints
writing.py   letters on their way into a script
adopting.py  letters of releases before fingerprints
"""

from app.store.dead_letters.filter import Filter
from app.store.dead_letters.letters import REPLAY_BATCH, DeadLetters
from app.store.dead_letters.pages import Page

__all__ = ["REPLAY_BATCH", "DeadLetters", "Filter", "Page"]
