"""How dead letters lie in Redis: payload, summary, cause.

* Payload: `pack([body, record, history, where])`, compressed with the shared dictionary. `where` =
  [connection, hour, received_ms]: enough to make the letter whole again should its summary be lost.
  A spilled one is a `Spilled` instead: the byte 2 and a msgpack array (scripts read its first).
* Summary: a msgpack array that scripts read too (scripts/parts/dead_terms.lua), in the order of
  `_Summary`; with texts as bytes, for Redis' cmsgpack is older than msgpack's type for bytes. What
  all letters of a cause share is not in it.
* Cause: a msgpack array, once per fingerprint.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import msgpack

from app.core.batch import AttemptRun, pack, unpack
from app.core.dead_letter.about import about_of, event_token, person_token
from app.core.dead_letter.cause import Cause, cause_of, fingerprint_of
from app.core.dead_letter.event_id import pack_event_id, unpack_event_id
from app.core.dead_letter.letter import DeadLetter, DeadLetterSummary
from app.core.errors import UnreadableFrame

HOUR_MS: Final = 3_600_000
_SPILLED: Final = b"\x02"
# Longer ones are made up; Customer.io has some 73.
_KIND_MAX: Final = 128


class Encoded(NamedTuple):
    """One letter as scripts take it (scripts/parts/dead_add.lua)."""

    payload: bytes
    summary: bytes
    cause: bytes


class Spilled(NamedTuple):
    """Where the payload went: number of the file; the zstd frame in it, bytes; the line in that."""

    file: int
    offset: int
    length: int
    line: int


class _Summary(NamedTuple):
    """`tokens`: 6 bytes each, the event's first, then the people's. `died`: ms after receipt.
    `hour`: the ledger's less the receipt's. `own`: [path, detail] where they are not the cause's.
    `replays` and `run` are left out where there was no replay: of a million, most have none.
    """

    fingerprint: bytes
    connection: bytes
    failure: bytes
    kind: bytes
    campaign: bytes
    mapping: bytes
    tokens: bytes
    event_id: bytes
    received_ms: int
    died: int
    hour: int
    own: list[bytes] | None
    replays: int = 0
    run: int = 0


_UNREPLAYED: Final = _Summary._fields.index("replays")

# As releases before fingerprints wrote it, packed and compressed; `mapping` came later.
_OLD_FIELDS: Final = (
    "connection", "hour", "stage", "failure", "code", "path", "detail", "row",
    "kind", "event_id", "received_ms", "dead_ms", "mapping",
)  # fmt: skip
_ALWAYS_THERE: Final = _OLD_FIELDS.index("dead_ms") + 1


def encode_letter(letter: DeadLetter, key: bytes) -> Encoded:
    """The letter as it lies in Redis. The number is the key there, so it is in none of them.

    `key`: this installation's, for the tokens of people.
    """
    x = letter.summary
    cause = cause_of(x.stage, x.failure, x.code, x.path, x.detail, x.row)
    as_cause = (x.path, x.detail) == (cause.path, cause.detail)
    about = about_of(letter.body)
    tokens = [event_token(key, x.event_id)] if x.event_id else []
    tokens += [person_token(key, person) for person in about.people]
    summary = _Summary(
        fingerprint_of(cause), _bytes(x.connection), _bytes(x.failure),
        _bytes(x.kind[:_KIND_MAX]), _bytes(about.campaign), _bytes(x.mapping), b"".join(tokens),
        _packed_id(x.event_id), x.received_ms, x.dead_ms - x.received_ms,
        x.hour - x.received_ms // HOUR_MS,
        None if as_cause else [_bytes(x.path), _bytes(x.detail)], x.replays, x.run,
    )  # fmt: skip
    where = [x.connection, x.hour, x.received_ms]
    return Encoded(
        pack([letter.body, letter.record, letter.history, where]),
        msgpack.packb(summary if x.replays else summary[:_UNREPLAYED], use_bin_type=False),
        encode_cause(cause),
    )


def encode_cause(cause: Cause) -> bytes:
    return bytes(msgpack.packb(cause))


def decode_cause(packed: bytes) -> Cause:
    """Raises UnreadableFrame."""
    try:
        return Cause(*msgpack.unpackb(packed))
    except Exception as fault:  # msgpack raises a dozen kinds on damaged bytes
        raise UnreadableFrame(f"damaged cause: {type(fault).__name__}") from fault


def fingerprint_in(packed: bytes) -> str:
    """The fingerprint in a summary, as hex digits. Raises UnreadableFrame."""
    found = _read(packed).fingerprint
    if not isinstance(found, bytes):
        raise UnreadableFrame("damaged summary: no fingerprint")
    return found.hex()


def decode_summary(number: int, packed: bytes, cause: Cause | None) -> DeadLetterSummary:
    """Raises UnreadableFrame. `cause`: that of its fingerprint, None when it is lost."""
    x = _read(packed)
    try:
        return _summary(number, x, cause)
    except (AttributeError, TypeError, ValueError) as fault:
        raise UnreadableFrame(f"damaged summary: {type(fault).__name__}") from fault


def _summary(number: int, x: _Summary, cause: Cause | None) -> DeadLetterSummary:
    stage, _, code, path, detail, row = cause or Cause("", "", "", "", "", "")
    if x.own is not None:
        path, detail = map(_text, x.own)
    return DeadLetterSummary(
        number, _text(x.connection), x.hour + x.received_ms // HOUR_MS, stage, _text(x.failure),
        code, path, detail, row, _text(x.kind), _unpacked_id(x.event_id), x.received_ms,
        x.received_ms + x.died, _text(x.mapping), _text(x.campaign), x.fingerprint.hex(),
        x.replays, x.run,
    )  # fmt: skip


def decode_letter(summary: DeadLetterSummary, payload: bytes) -> DeadLetter:
    """Raises UnreadableFrame."""
    body, record, history, *_ = unpack(payload)
    return DeadLetter(summary, body, record, tuple(AttemptRun(*run) for run in history))


def encode_spilled(place: Spilled) -> bytes:
    return _SPILLED + bytes(msgpack.packb(place))


def is_spilled(payload: bytes) -> bool:
    return payload[:1] == _SPILLED


def spilled_to(payload: bytes) -> Spilled | None:
    """Where a payload was spilled to; None when it was not. Raises UnreadableFrame."""
    if not is_spilled(payload):
        return None
    try:
        return Spilled(*msgpack.unpackb(payload[1:]))
    except Exception as fault:  # as in decode_cause
        raise UnreadableFrame(f"damaged place: {type(fault).__name__}") from fault


def decode_where(payload: bytes) -> tuple[str, int, int]:
    """(connection, hour, received_ms) of a letter. Raises UnreadableFrame."""
    try:
        connection, hour, received_ms = unpack(payload)[3]
        return str(connection), int(hour), int(received_ms)
    except (IndexError, TypeError, ValueError) as fault:
        raise UnreadableFrame("the payload does not say whose it is") from fault


def decode_old_summary(number: int, packed: bytes) -> DeadLetterSummary:
    """A summary as releases before fingerprints wrote it. Raises UnreadableFrame."""
    values = unpack(packed)
    if len(values) < _ALWAYS_THERE:
        raise UnreadableFrame(f"damaged summary: {len(values)} fields")
    return DeadLetterSummary(number, **dict(zip(_OLD_FIELDS, values, strict=False)))


def _read(packed: bytes) -> _Summary:
    try:
        values: list[Any] = msgpack.unpackb(packed, raw=True)
        return _Summary(*values[: len(_Summary._fields)])
    except Exception as fault:  # as in decode_cause
        raise UnreadableFrame(f"damaged summary: {type(fault).__name__}") from fault


def _packed_id(event_id: str) -> bytes:
    packed = pack_event_id(event_id)
    return b"u" + packed if isinstance(packed, bytes) else b"=" + _bytes(packed)


def _unpacked_id(packed: bytes) -> str:
    return unpack_event_id(packed[1:] if packed[:1] == b"u" else _text(packed[1:]))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _text(packed: bytes) -> str:
    return packed.decode("utf-8", "surrogatepass")
