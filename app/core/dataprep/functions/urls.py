"""URL functions (platform.md section 4.3). What is no URL gives null (documented), as null does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import SplitResult, parse_qsl, quote, unquote_plus, urlsplit

from app.core.dataprep.values import RowFault, Value, as_text

# The documentation shows 22 for an sftp URL without a port.
_PORTS: Final = {"http": 80, "https": 443, "ftp": 21, "sftp": 22, "ssh": 22}


def get_url_protocol(url: Value) -> Value:
    """`https` of `https://a.example/b`."""
    parts = _parts(url)
    return parts.scheme if parts else None


def get_url_host(url: Value) -> Value:
    """`a.example` of `https://a.example:8/b`."""
    parts = _parts(url)
    return parts.hostname if parts else None


def get_url_port(url: Value) -> Value:
    """The port written, or the protocol's own."""
    parts = _parts(url)
    return (parts.port or _PORTS.get(parts.scheme)) if parts else None


def get_url_path(url: Value, full: Value = True) -> Value:
    """The path; only its end when `full` is false (documented)."""
    parts = _parts(url)
    if parts is None:
        return None
    return parts.path if full else parts.path.rpartition("/")[2]


def get_url_query_str(url: Value, anchor: Value) -> Value:
    """The query as a map; the anchor kept on its last value, removed, or beside it (documented)."""
    parts = _parts(url)
    if parts is None:
        return None
    way = as_text(anchor)
    query = parts.query
    if way == "retain" and parts.fragment:
        query += "#" + parts.fragment
    elif way not in ("retain", "remove", "append"):
        raise RowFault("the anchor's way is none of retain, remove, append")
    found = dict(parse_qsl(query, keep_blank_values=True))
    if way == "append" and parts.fragment:
        found["_anchor_"] = parts.fragment
    return found


def get_url_encoded(text: Value) -> Value:
    """Percent-encoded by the documented table: a space is %20, `~` is %7E."""
    return None if text is None else quote(as_text(text), safe="").replace("~", "%7E")


def get_url_decoded(text: Value) -> Value:
    """Percent-decoded; a plus is a space, as in Java (judgement)."""
    return None if text is None else unquote_plus(as_text(text))


def _parts(url: Value) -> SplitResult | None:
    if url is None:
        return None
    try:
        parts = urlsplit(as_text(url))
        named = parts.scheme and parts.hostname
        return parts if named and (parts.port or 0) >= 0 else None
    except ValueError:
        return None


FUNCTIONS: Final[Mapping[str, Callable[..., Value]]] = {
    "get_url_protocol": get_url_protocol,
    "get_url_host": get_url_host,
    "get_url_port": get_url_port,
    "get_url_path": get_url_path,
    "get_url_query_str": get_url_query_str,
    "get_url_encoded": get_url_encoded,
    "get_url_decoded": get_url_decoded,
}
