"""What became of the messages that were received: the data lake, as far as anybody can ask for it.

calendar.py  Platform's hours and micro-batches, long or short as told
cut.py       one micro-batch of one flow: counts, and the lines that failed
lake.py      all of them, bounded, and the ids that did not land
meters.py    what the edge counts, by inlet and hour (platform.md section 6.3)
"""
