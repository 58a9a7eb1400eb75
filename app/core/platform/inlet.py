"""Where messages go: the inlet's addresses, the envelope, and the request (platform.md 2.1-2.3).

A message is bytes from here on: the envelope is put around a record by concatenation, and a
request batch is the messages joined. Nothing is parsed or serialised twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import orjson

# "1 MB" is not defined further (platform.md section 2.7). We fill requests to the smaller reading.
MAX_BODY_BYTES: Final = 1_000_000
# A message alone may be as large as the larger reading: Platform is to refuse it, not we.
HARD_BODY_BYTES: Final = 1_048_576

_OPEN: Final = b'{"messages":['
_CLOSE: Final = b"]}"
_SYNC: Final = frozenset({"syncvalidation", "synchronousvalidation"})


@dataclass(frozen=True, slots=True)
class Inlet:
    """One connection's streaming inlet. `mode`: `xdm` (records in the envelope) or `raw`."""

    url: str
    batch_url: str
    inlet_id: str
    mode: Literal["xdm", "raw"] = "xdm"
    flow_id: str = ""
    dataset_id: str = ""
    schema_id: str = ""
    schema_content_type: str = "application/vnd.adobe.xed-full+json;version=1"
    org_id: str = ""
    sandbox_name: str = ""
    authenticated: bool = False


class Request(NamedTuple):
    """One POST, ready for any HTTP client."""

    url: str
    headers: dict[str, str]
    body: bytes


def inlet_urls(url: str) -> tuple[str, str, str]:
    """(single address, batch address, inlet id) of an `inletUrl`, of either kind.

    `/collection/` becomes `/collection/batch/`, as in Adobe's Kafka sink. A query is kept, but for
    syncValidation, which drops bad data at 60 requests a minute (platform.md section 7.19).
    Raises ValueError, saying what is wrong.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError("an inlet URL begins with https:// and a host")
    head, found, inlet_id = parts.path.rstrip("/").rpartition("/collection/")
    inlet_id = inlet_id.removeprefix("batch/")
    if not found or not inlet_id or "/" in inlet_id:
        raise ValueError("an inlet URL ends with /collection/ and the inlet id")
    kept = [(k, v) for k, v in parse_qsl(parts.query) if k.lower() not in _SYNC]
    single, batch = (
        urlunsplit(parts._replace(path=head + between + inlet_id, query=urlencode(kept)))
        for between in ("/collection/", "/collection/batch/")
    )
    return single, batch, inlet_id


def envelope(inlet: Inlet) -> tuple[bytes, bytes]:
    """(prefix, suffix): a message is prefix + the record's JSON + suffix; both empty for raw.

    `createdAt` is left out: no page calls it required, and without it the envelope of a
    connection is constant. `source` is never sent without its `name`, which Platform refuses.
    """
    if inlet.mode == "raw":
        return b"", b""
    schema_ref = {"id": inlet.schema_id, "contentType": inlet.schema_content_type}
    header = {
        "schemaRef": schema_ref,
        "imsOrgId": inlet.org_id,
        "datasetId": inlet.dataset_id,
        "flowId": inlet.flow_id,
        "source": {"name": "Sluice"},
    }
    shown = orjson.dumps({key: value for key, value in header.items() if value})
    meta = orjson.dumps({"schemaRef": schema_ref})
    return b'{"header":' + shown + b',"body":{"xdmMeta":' + meta + b',"xdmEntity":', b"}}"


def body_size(count: int, message_bytes: int) -> int:
    """Bytes of the body that `count` messages of `message_bytes` bytes in total make."""
    if count == 1:
        return message_bytes
    return len(_OPEN) + message_bytes + count - 1 + len(_CLOSE)


def request_for(inlet: Inlet, messages: Sequence[bytes], token: str | None) -> Request:
    """The POST that carries these messages: the single endpoint for one, else the batch one."""
    headers = {"Content-Type": "application/json"}
    if inlet.sandbox_name:
        headers["x-sandbox-name"] = inlet.sandbox_name
    if inlet.mode == "raw" and inlet.flow_id:
        headers["x-adobe-flow-id"] = inlet.flow_id
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if len(messages) == 1:
        return Request(inlet.url, headers, messages[0])
    # One copy of up to a megabyte instead of three.
    parts = [*messages]
    parts[0] = _OPEN + parts[0]
    parts[-1] += _CLOSE
    return Request(inlet.batch_url, headers, b",".join(parts))
