"""Customer.io's signature: golden vectors of customerio.md section 8, and closed doors."""

from __future__ import annotations

import hmac

import pytest

from app.core.signature import fingerprint, looks_signed, matching_key, sign

NODE = (
    b"signing-secret",
    "1614265384",
    b'{"event_id":"abc","object_type":"email","metric":"delivered"}',
    "6f55cf23f9b73a2ff07733fe04421f64ce9ec5e409696edda6b2a80311944230",
)
DAILY = (
    b"topsecret",
    "1715784949",
    b'{"userId":"1","marketingCtaId":"worlds-best-campaign"}',
    "b01e7dfc3ce67eaab1010b7021b86ce2ba12677d191e0e04b14cd859e347f866",
)


@pytest.mark.parametrize(("key", "timestamp", "body", "signature"), [NODE, DAILY])
def test_golden_vectors(key: bytes, timestamp: str, body: bytes, signature: str) -> None:
    assert sign(key, timestamp.encode(), body) == signature
    assert matching_key([key], timestamp, signature, body) == 0
    assert matching_key([b"old", key], timestamp, f"v0={signature}", body) == 1
    assert matching_key([key], timestamp, signature.upper(), body) == 0


@pytest.mark.parametrize(
    ("keys", "timestamp", "signature"),
    [
        ([b"other"], NODE[1], NODE[3]),
        ([], NODE[1], NODE[3]),
        ([b""], NODE[1], sign(b"", NODE[1].encode(), NODE[2])),
        ([NODE[0]], "", NODE[3]),
        ([NODE[0]], "1614265385", NODE[3]),
        ([NODE[0]], "16142653\u0668\u0664", NODE[3]),
        ([NODE[0]], " 1614265384", NODE[3]),
        ([NODE[0]], NODE[1], ""),
        ([NODE[0]], NODE[1], NODE[3][:-1]),
        ([NODE[0]], NODE[1], "é" * 64),
        ([NODE[0]], NODE[1], f"v0=v0={NODE[3]}"),
    ],
)
def test_everything_else_is_refused(keys: list[bytes], timestamp: str, signature: str) -> None:
    assert matching_key(keys, timestamp, signature, NODE[2]) is None


@pytest.mark.parametrize("digits", [20, 400, 5000])
def test_a_timestamp_too_long_to_be_one_is_refused_however_well_it_is_signed(digits: int) -> None:
    """Python reads no more than 4,300 digits, and no float holds 400."""
    stamp = "9" * digits
    signature = sign(NODE[0], stamp.encode(), NODE[2])
    assert matching_key([NODE[0]], stamp, signature, NODE[2]) is None


def test_a_changed_body_is_refused() -> None:
    assert matching_key([NODE[0]], NODE[1], NODE[3], NODE[2] + b" ") is None


def test_every_key_is_compared_in_constant_time_whichever_matches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    usual, compared = hmac.compare_digest, []

    def watched(own: str, given: str) -> bool:
        compared.append(len(given))
        return usual(own, given)

    monkeypatch.setattr("hmac.compare_digest", watched)
    key, timestamp, body, signature = NODE

    assert matching_key([key, b"b", b"c"], timestamp, signature, body) == 0
    assert matching_key([b"b", b"c", b"d"], timestamp, "0" * 64, body) is None
    assert compared == [64] * 6


@pytest.mark.parametrize(
    ("timestamp", "signature", "looks"),
    [
        ("1614265384", NODE[3], True),
        ("1614265384", f"v0={NODE[3].upper()}", True),
        ("1614265384", NODE[3][:-1], False),
        ("1614265384", "g" * 64, False),
        ("1614265384", "", False),
        ("", NODE[3], False),
        ("now", NODE[3], False),
        ("1" * 20, NODE[3], False),
    ],
)
def test_what_a_stranger_posts_does_not_look_signed(
    timestamp: str, signature: str, looks: bool
) -> None:
    assert looks_signed(timestamp, signature) is looks


def test_a_fingerprint_tells_keys_apart_and_shows_none() -> None:
    names = {fingerprint(key) for key in (b"one", b"two", NODE[0])}
    assert len(names) == 3 and {len(name) for name in names} == {16}
    assert fingerprint(b"one") == fingerprint(b"one") != b"one".hex()
