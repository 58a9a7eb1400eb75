"""What is kept of an event that needs a person.

    letter.py       the letter, its summary, its cause
    cause.py        what makes two deaths the same: fingerprints
    about.py        what a body says of who and what it concerns: campaign, people
    codec.py        how all that lies in Redis
    edit.py         a patch beside the original
    line.py         a letter as one line of NDJSON
    event_id.py     event ids in few bytes

Pure: bytes and values in, values out.
"""

from app.core.dead_letter.about import About, about_of, is_about, person_token
from app.core.dead_letter.cause import Cause, cause_of, fingerprint_of
from app.core.dead_letter.codec import (
    Encoded,
    Spilled,
    decode_cause,
    decode_letter,
    decode_old_summary,
    decode_summary,
    encode_cause,
    encode_letter,
    encode_spilled,
    is_spilled,
    spilled_to,
)
from app.core.dead_letter.edit import Edit, decode_edit, edited, encode_edit
from app.core.dead_letter.letter import DeadLetter, DeadLetterSummary
from app.core.dead_letter.line import decode_line, encode_line

__all__ = [
    "About",
    "Cause",
    "DeadLetter",
    "DeadLetterSummary",
    "Edit",
    "Encoded",
    "Spilled",
    "about_of",
    "cause_of",
    "decode_cause",
    "decode_edit",
    "decode_letter",
    "decode_line",
    "decode_old_summary",
    "decode_summary",
    "edited",
    "encode_cause",
    "encode_edit",
    "encode_letter",
    "encode_line",
    "encode_spilled",
    "fingerprint_of",
    "is_about",
    "is_spilled",
    "person_token",
    "spilled_to",
]
