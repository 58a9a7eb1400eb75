"""URL functions (platform.md section 4.3).

What is no URL gives null (documented), as null does. A URL is `scheme://host…` without blanks or
control characters (judgement). The host keeps its capitals, as in Java's URL.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, quote, unquote_plus

from app.core.dataprep.values import RowFault, Value, as_text, bounded, truthy

# The documentation shows 22 for an sftp URL without a port.
_PORTS: Final = {"http": 80, "https": 443, "ftp": 21, "sftp": 22, "ssh": 22}

_URL: Final = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://"
    r"(?:[^/?#@\[\]]*@)?(?P<host>\[[0-9A-Fa-f:.%]+\]|[^/?#@:\[\]]+)(?::(?P<port>[0-9]{0,5}))?"
    r"(?P<path>/[^?#]*)?(?:\?(?P<query>[^#]*))?(?:#(?P<anchor>.*))?"
)
_NOT_IN_URLS: Final = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029]")

_MAX_FIELDS: Final = 10_000


class _Url(NamedTuple):
    scheme: str
    host: str
    port: str | None
    path: str
    query: str
    anchor: str


def get_url_protocol(url: Value) -> str | None:
    """`https` of `https://a.example/b`, in small letters."""
    parts = _parts(url)
    return parts.scheme if parts else None


def get_url_host(url: Value) -> str | None:
    """`a.example` of `https://a.example:8/b`."""
    parts = _parts(url)
    return parts.host if parts else None


def get_url_port(url: Value) -> int | None:
    """The port written, or the protocol's own (documented by the example); else null."""
    parts = _parts(url)
    if parts is None:
        return None
    return int(parts.port) if parts.port else _PORTS.get(parts.scheme)


def get_url_path(url: Value, full: Value = True) -> str | None:
    """The path; only its end when `full` is false (documented). A null `full` is true."""
    parts = _parts(url)
    if parts is None:
        return None
    return parts.path if full is None or truthy(full) else parts.path.rpartition("/")[2]


def get_url_query_str(url: Value, anchor: Value) -> Value:
    """The query as a map; the anchor kept on its last value, removed, or beside it (documented).

    Judgement: names and values come decoded, of a name that is there twice the last value counts,
    and without a query `retain` keeps nothing. A null way is a fault.
    """
    parts = _parts(url)
    if parts is None:
        return None
    way = as_text(anchor)
    if way not in ("retain", "remove", "append"):
        raise RowFault("the anchor's way is none of retain, remove, append")
    try:
        fields = parse_qsl(parts.query, keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError:
        raise RowFault(f"a query of over {_MAX_FIELDS} fields") from None
    if parts.anchor and way == "retain" and fields:
        name, value = fields[-1]
        fields[-1] = (name, f"{value}#{parts.anchor}")
    found = dict(fields)
    if parts.anchor and way == "append":
        found["_anchor_"] = parts.anchor
    return found


def get_url_encoded(url: Value) -> str | None:
    """Percent-encoded by the documented table: a space is %20, `~` is %7E, `-._` stay.

    The table gives %5C for a vertical bar; that is the backslash's code, and a bar is %7C here.
    """
    if url is None:
        return None
    return bounded(quote(bounded(as_text(url)), safe="", errors="replace").replace("~", "%7E"))


def get_url_decoded(url: Value) -> str | None:
    """Percent-decoded; a plus is a space, as in Java, and a % that is no code stays (judgement)."""
    return None if url is None else unquote_plus(bounded(as_text(url)))


def _parts(url: Value) -> _Url | None:
    if url is None:
        return None
    text = as_text(url)
    found = _URL.fullmatch(text) if _NOT_IN_URLS.search(text) is None else None
    if found is None or int(found["port"] or 0) > 65535:
        return None
    path, query, anchor = found["path"] or "", found["query"] or "", found["anchor"] or ""
    return _Url(found["scheme"].lower(), found["host"], found["port"], path, query, anchor)


FUNCTIONS: Final[Mapping[str, Callable[..., Value]]] = {
    "get_url_protocol": get_url_protocol,
    "get_url_host": get_url_host,
    "get_url_port": get_url_port,
    "get_url_path": get_url_path,
    "get_url_query_str": get_url_query_str,
    "get_url_encoded": get_url_encoded,
    "get_url_decoded": get_url_decoded,
}
