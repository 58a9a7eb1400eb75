"""Customer.io's App API as far as reporting webhooks need it (customerio.md section 10).

names.py      the 72 events that can be subscribed to
webhook.py    a reporting webhook: what a body may say, what an answer shows
limit.py      10 requests a second
entry.py      what every call goes through: faults, key, limit
routes.py     the calls
"""
