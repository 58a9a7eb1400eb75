"""What a body says of whom and what it concerns: the campaign, the people.

Customer.io names the origin of a message by one of four ids, and the person in `identifiers`, in
`customer_id` and, for messages, in `recipient` (customerio.md section 3).
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import orjson

TOKEN_BYTES: Final = 6

# The id's key in `data`, and what it is the id of.
_ORIGINS: Final = (
    ("newsletter_id", "newsletter"),
    ("broadcast_id", "broadcast"),
    ("transactional_message_id", "transactional"),
    ("campaign_id", "campaign"),
)
_ORIGIN_MAX: Final = 64
_IDENTIFIERS: Final = ("id", "email", "cio_id")
_PERSON_MAX: Final = 320  # the longest address (RFC 5321: 64 + @ + 255)
_PEOPLE_MAX: Final = 4


class About(NamedTuple):
    """`campaign`: "newsletter:27", "" when the body names none. `people`: ids and addresses."""

    campaign: str
    people: tuple[str, ...]


def about_of(body: bytes) -> About:
    """What a body that may be anything says of them. Never raises."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return About("", ())
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(data, dict):
        return About("", ())
    return About(_campaign(data), _people(data))


def is_about(body: bytes, person: str) -> bool:
    """Whether a body that may be anything names a person (id, address, cio_id). Never raises."""
    wanted = _folded(person)
    return any(_folded(each) == wanted for each in about_of(body).people)


def person_token(key: bytes, person: str) -> bytes:
    """6 bytes that stand for a person in indexes.

    A keyed hash (BLAKE2b, RFC 7693), the key this installation's own: a plain or salted hash of an
    address is undone by trying addresses, and indexes are copied where bodies are not. At a million
    people two share a token once in 500 installations; a search then shows one letter too many.
    """
    return _token(key, b"p" + _folded(person))


def event_token(key: bytes, event_id: str) -> bytes:
    """The same for an event id."""
    whole = event_id.encode("utf-8", "surrogatepass")
    return _token(key, b"e" + whole)


def _token(key: bytes, said: bytes) -> bytes:
    return blake2b(said, digest_size=TOKEN_BYTES, key=key).digest()


def _campaign(data: Mapping[str, Any]) -> str:
    for key, origin in _ORIGINS:
        value = data.get(key)
        if isinstance(value, (int, str)) and not isinstance(value, bool) and value != "":
            return f"{origin}:{value}"[:_ORIGIN_MAX]
    return ""


def _people(data: Mapping[str, Any]) -> tuple[str, ...]:
    identifiers = data.get("identifiers")
    known = identifiers if isinstance(identifiers, dict) else {}
    found = [known.get(name) for name in _IDENTIFIERS]
    found += [data.get("customer_id"), data.get("recipient")]
    people = {
        _folded(str(value)): str(value)
        for value in found
        if isinstance(value, (str, int)) and not isinstance(value, bool) and value != ""
    }
    return tuple(people.values())[:_PEOPLE_MAX]


def _folded(person: str) -> bytes:
    return person.strip().lower()[:_PERSON_MAX].encode("utf-8", "surrogatepass")
