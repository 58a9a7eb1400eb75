"""Texts that stand in events: subjects, contents, links, failure messages."""

from __future__ import annotations

import random
from typing import Final

import orjson

from app.sandbox.customerio.events.people import Person

_SUBJECTS: Final = (
    "Welcome, {first}",
    "{first}, your order has shipped",
    "Your weekly summary is ready",
    "Reset your password",
    "Last chance: 20% off until Sunday",
    "{first}, we miss you ✨",
    'New in "Home & Garden"',
    "Invoice 20{number} for September",
    "Votre réservation est confirmée",
)
_PROSE: Final = (
    "account offer today order delivery thanks update your the a for with now see more weekly "
    "summary garden season team new items shipped ready confirm password plan trial ends soon "
    "welcome club points balance store nearest opening hours weekend member price simple easy"
)
_WORDS: Final = tuple(_PROSE.split())
_PATHS: Final = (
    "/verify", "/offers/autumn?utm_source=cio&utm_medium=email", "/orders/{n}", "/unsubscribe",
    "/account/settings", "/products/{n}?ref=reco", "/blog/2026/10/whats-new",
)  # fmt: skip
CHANNELS: Final = ("#general", "#signups", "#alerts", "@grace", "C02SANDBOX1")
HOOKS: Final = (
    "https://hooks.example.com/crm/contacts",
    "https://api.example.org/v2/events?source=cio",
    "https://automation.example.net/flows/7f3a/run",
)
# customerio.md section 6 shows these; the number in the third is a reserved one.
FAILURES: Final = {
    "email": (
        "550 5.5.0 Requested action not taken: mailbox unavailable",
        "452 4.2.2 The email account is over quota",
        "Variable 'customer.first_name' is missing",
        "421 4.7.0 Try again later, closing connection",
    ),
    "push": ("NoDevicesSynced", "BadDeviceToken", "Unregistered"),
    "sms": (
        "Twilio Error 21408: Permission to send an SMS has not been enabled for +12025550143",
        "Twilio Error 30003: Unreachable destination handset",
    ),
    "slack": ("value passed for channel was invalid", "channel_not_found"),
    "webhook": ("HTTP 404 Not Found []", "HTTP 500 Internal Server Error []", "context deadline"),
    "in_app": ("Variable 'customer.test' is missing", "message limit exceeded"),
}


def subject(rng: random.Random, person: Person) -> str:
    return rng.choice(_SUBJECTS).format(first=person.first, number=rng.randint(1000, 9999))


def link(rng: random.Random) -> str:
    return "https://shop.example.com" + rng.choice(_PATHS).format(n=rng.randint(100, 99_999))


def app_link(rng: random.Random) -> str:
    return f"shopapp://product/{rng.randint(1, 5000)}"


def words(rng: random.Random, length: int) -> str:
    """Exactly `length` ASCII characters of prose without marks that JSON escapes."""
    if length <= 0:
        return ""
    text = " ".join(rng.choices(_WORDS, k=length // 3 + 1))
    return text[:length].rstrip().ljust(length, ".")


def html(rng: random.Random, person: Person) -> str:
    body = words(rng, rng.randint(120, 420))
    return (
        f"<html><body><h1>Hi {person.first},</h1><p>{body}</p>"
        f'<a href="{link(rng)}">See more</a></body></html>'
    )


def push_payload(rng: random.Random, person: Person) -> str:
    """The stringified payload of a push (customerio.md section 6)."""
    data = {
        "title": f"Hi {person.first}",
        "body": words(rng, rng.randint(30, 110)),
        "link": app_link(rng),
    }
    return orjson.dumps({"android": {"message": {"data": data}}}).decode()
