"""What the console does with `app/connect`: both ends of connections, looked at and set up.

both_ends.py  the setups that there are, and everything that is asked of them
looking.py    how they stand: asked for at most once a minute, whoever watches
work.py       one act in the background, and what it did so far
draft.py      answers of a setup that is not made yet
wording.py    actions and standings in words; what nobody is to see, masked
"""

from app.web.console.both_ends.both_ends import BothEnds

__all__ = ["BothEnds"]
