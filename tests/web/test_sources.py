"""Which address counts, and which may post."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from app.web.sources import SourceFilter, parse_address

ALLOWED = [ip_network("192.0.2.0/24"), ip_network("2001:db8::/32")]
PROXIES = [ip_network("10.0.0.0/8")]


@pytest.mark.parametrize(
    ("peer", "forwarded", "allowed"),
    [
        ("192.0.2.1", [], True),
        ("198.51.100.1", [], False),
        ("::ffff:192.0.2.1", [], True),
        ("2001:db8::1", [], True),
        ("", [], False),
        ("not an address", [], False),
        # Only a proxy of ours may say who its client is.
        ("198.51.100.1", ["192.0.2.1"], False),
        ("192.0.2.1", ["198.51.100.1"], True),
        ("10.0.0.1", ["192.0.2.1"], True),
        ("10.0.0.1", ["192.0.2.1", "10.0.0.2"], True),
        ("10.0.0.1", ["192.0.2.1, 10.0.0.2"], True),
        # What a client writes itself stands left of what our proxy adds.
        ("10.0.0.1", ["192.0.2.1, 198.51.100.1"], False),
        ("10.0.0.1", [], False),
        ("10.0.0.1", ["unknown"], False),
    ],
)
def test_the_nearest_address_that_is_no_proxy_of_ours_decides(peer, forwarded, allowed):
    rule = SourceFilter(ALLOWED, PROXIES)
    assert rule.allows(peer, forwarded) is allowed
    assert rule.allows(peer, forwarded) is allowed


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (" 192.0.2.1 ", "192.0.2.1"),
        ("192.0.2.1:4711", "192.0.2.1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", "None"),
        ("_hidden", "None"),
    ],
)
def test_addresses_are_read_as_proxies_write_them(text, address):
    assert str(parse_address(text)) == address


def test_long_headers_of_strangers_are_not_kept() -> None:
    """Four thousand of half a megabyte were two gigabytes."""
    filter_ = SourceFilter(ALLOWED, PROXIES)
    for n in range(2000):
        assert not filter_.allows("198.51.100.1", [f"192.0.2.1,{n}" + " " * 8000])
        assert filter_.allows("10.0.0.1", [f"{n}" + " " * 8000, "192.0.2.1"])
    assert sum(len(text) for question in filter_._known for text in question) < 100_000
