"""Dead letters in Redis. One API under all faces.

letters.py    count, find, page, get, put, edit, replay, discard
pages.py      a page at a time, by any combination of fields
filter.py     which are meant
groups.py     causes: how many, since when, what is affected, notes, known, resolved
causes.py     causes by their fingerprints
tokens.py     of many events, which are among them
searching.py  where no index helps: in bodies
drawing.py    a sample by lot
choosing.py   a selection that is looked at before something is done to it
discarding.py many of them, for good
exchange.py   letters to and from elsewhere
writing.py    letters on their way into a script
spilling.py   beyond a budget, from Redis to files
files.py      those files
fsck.py       is it all whole
adopting.py   letters of releases before fingerprints
upkeep.py     what a worker does to the store now and again
"""

from app.store.dead_letters.filter import Filter
from app.store.dead_letters.letters import REPLAY_BATCH, DeadLetters
from app.store.dead_letters.pages import Page

__all__ = ["REPLAY_BATCH", "DeadLetters", "Filter", "Page"]
