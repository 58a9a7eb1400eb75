"""What is kept of an event that needs a person.

    letter.py       the letter, its summary, its cause
    cause.py        what makes two deaths the same: fingerprints
    about.py        what a body says of who and what it concerns: campaign, people
    codec.py        how all that lies in Redis
    event_id.py     event ids in few bytes

Pure: bytes and values in, values out.
"""

from app.core.dead_letter.about import About, about_of, person_token
from app.core.dead_letter.cause import Cause, cause_of, fingerprint_of
from app.core.dead_letter.codec import (
    Encoded,
    decode_cause,
    decode_letter,
    decode_old_summary,
    decode_summary,
    encode_cause,
    encode_letter,
)
from app.core.dead_letter.letter import DeadLetter, DeadLetterSummary

__all__ = [
    "About",
    "Cause",
    "DeadLetter",
    "DeadLetterSummary",
    "Encoded",
    "about_of",
    "cause_of",
    "decode_cause",
    "decode_letter",
    "decode_old_summary",
    "decode_summary",
    "encode_cause",
    "encode_letter",
    "fingerprint_of",
    "person_token",
]
