"""Dead letters: causes first, then their letters, then one; and what operators do about them.

asked.py      which letters are meant, in addresses and forms
causes.py     all causes
cause.py      one of them: what is said of it
letters.py    letters as a list
letter.py     one of them, whole
editing.py    what a replay is to send instead
marking.py    saying something of many causes at once
discarding.py for good
exporting.py  as a file
importing.py  and back
"""
