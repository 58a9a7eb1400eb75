"""Customer.io's App API, seen from here: reporting webhooks. Nothing inbound.

app_api     one call: pace, errors, retries, bounds
webhooks    what can be asked: webhooks, addresses, whether the key is good
complaints  what a refusal means, and what to do about it
events      the names of the events that a webhook can subscribe to
"""
