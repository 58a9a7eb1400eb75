"""Adobe's streaming inlet: how a request is built, and what an answer means.

    inlet.py         where to send: addresses, envelope, request
    answer.py        one HTTP answer -> one Outcome per message, and what to do next
    multi_status.py  the entries of a 207, placed on the messages they speak of
    problem.py       error bodies: code, text, XDM path; texts made fit for logs
    later.py         a line of a failed batch's file: whose record, and why

Pure: bytes and values in, values out. Source: platform.md section 2.
"""

from app.core.platform.answer import Answer, Next, read_answer, unsent
from app.core.platform.inlet import (
    HARD_BODY_BYTES,
    MAX_BODY_BYTES,
    Inlet,
    Request,
    body_size,
    envelope,
    inlet_urls,
    request_for,
)
from app.core.platform.later import FailedRecord, read_failed_line
from app.core.platform.problem import is_envelope_fault, normalise

__all__ = [
    "HARD_BODY_BYTES",
    "MAX_BODY_BYTES",
    "Answer",
    "FailedRecord",
    "Inlet",
    "Next",
    "Request",
    "body_size",
    "envelope",
    "inlet_urls",
    "is_envelope_fault",
    "normalise",
    "read_answer",
    "read_failed_line",
    "request_for",
    "unsent",
]
