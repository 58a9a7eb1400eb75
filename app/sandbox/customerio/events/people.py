"""Made-up people and the values that go with them. All addresses and numbers are reserved ones."""

from __future__ import annotations

import random
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Any, Final

PEOPLE: Final = 20_000

_FIRST_NAMES: Final = (
    "Ada Amir Anna Aoife Bao Beatriz Björn Carla Chidi Chloé Dmitri Elif Emma Farah Felix Grace "
    "Hana Hugo Ines Ivan Jamal Jun Kaito Lars Léa Lucía Maja Marek Mei Noah Nour Olga Omar Priya "
    "Rafael Sara Søren Tariq Tomás Yara Zoë Łukasz"
)
_LAST_NAMES: Final = (
    "Adeyemi Andersson Bauer Becker Costa Dubois Eriksen Ferrari García Haddad Hoffmann Ivanova "
    "Jensen Kaya Kowalski Kumar Lindqvist Lopez Martin Müller Nakamura Nguyen Novák O'Brien Okafor "
    "Park Patel Petrov Quinn Rossi Sato Schmidt Silva Singh Smith Svensson Weber Yilmaz Zhang"
)
_FIRST: Final = tuple(_FIRST_NAMES.split())
_LAST: Final = tuple(_LAST_NAMES.split())
_ASCII: Final = str.maketrans("öéíáøëŁüúÖ", "oeiaoeLuuO", "'")
_DOMAINS: Final = ("example.com", "example.org", "example.net", "mail.example.com")


@dataclass(frozen=True, slots=True)
class Person:
    """The same for the same `number`. `email` None: known by id only; `id` None: by e-mail only."""

    number: int
    id: str | None
    email: str | None
    cio_id: str
    first: str
    full: str
    phone: str

    @property
    def identifiers(self) -> dict[str, Any]:
        """As a workspace with several identifiers shows them (customerio.md section 3)."""
        return {"id": self.id, "email": self.email, "cio_id": self.cio_id}

    @property
    def address(self) -> str:
        """Where an e-mail to this person goes, also when the profile holds none."""
        return self.email or f"guest-{self.number}@example.com"


def person(number: int) -> Person:
    """Person `number`, 0 to PEOPLE - 1."""
    first = _FIRST[number % len(_FIRST)]
    last = _LAST[number // len(_FIRST) % len(_LAST)]
    local = f"{first}.{last}".translate(_ASCII).lower()
    email = f"{local}{number}@{_DOMAINS[number % len(_DOMAINS)]}"
    return Person(
        number=number,
        id=None if number % 29 == 0 else f"{100_000 + number:010d}",
        email=None if number % 17 == 5 else email,
        cio_id=f"d9c106{number:06x}",
        first=first,
        full=f"{first} {last}",
        # Numbers that regulators keep free for fiction.
        phone=f"+1202555{100 + number % 100:04d}" if number % 2 else f"+4477009{number:05d}",
    )


def delivery_id(rng: random.Random) -> str:
    """URL-safe base64 of 20 to 22 bytes: 28 or 32 characters, some with `=`."""
    return urlsafe_b64encode(b"D\xf2\x0b\x02" + rng.randbytes(rng.randint(16, 18))).decode()


def device_id(rng: random.Random) -> str:
    return f"{rng.getrandbits(256):064x}"
