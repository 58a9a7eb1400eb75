"""Customer.io's App API as far as reporting webhooks need it (customerio.md section 10).

names.py      the 72 events that can be subscribed to
webhook.py    a reporting webhook: what a body may say, what an answer shows
workspace.py  one workspace while it runs: its webhooks, its limit
entry.py      region, key, limit, faults, the log of calls
routes.py     the calls
"""
