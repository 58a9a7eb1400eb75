"""Reporting webhooks sent as customerio.md section 9 describes it, time compressed.

happening.py  an event of the workspace, and what a webhook gets to see of it
play.py       what happens in a workspace when it is told to
stream.py     one webhook: what waits, what is tried, what blocks
courier.py    who posts, and whose tasks end with the sandbox
"""
