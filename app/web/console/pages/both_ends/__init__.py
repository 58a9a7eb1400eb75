"""Both ends of connections: what there is, and how it is set up.

rows.py      what is known of each connection
one.py       one of them: every object, and what can be done
planning.py  what apply would do, and doing what was shown
working.py   an act under way, and the signing key that it asks for
acting.py    on, off, a test event
destroying.py  away again
wizard.py    a new setup
"""
