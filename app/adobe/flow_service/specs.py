"""The ids that Adobe has fixed (platform.md section 0): data."""

from __future__ import annotations

from typing import Final

# Connection specs.
CUSTOMERIO: Final = "96479064-7b8a-4d69-b9ed-21c5683837ea"
HTTP_API: Final = "bc7b00d6-623a-4dfc-9fdb-f1240aeadaeb"
DATA_LAKE: Final = "c604ff05-7f1a-43c0-8e18-33bf874cb11c"

# Flow specs. The first is that of Customer.io and of all SDK streaming sources.
STREAMING: Final = "e77fde5a-22a8-11ed-861d-0242ac120002"
HTTP_API_MAPPED: Final = "c1a19761-d2c7-4702-b9fa-fe91f0613e81"
HTTP_API_PLAIN: Final = "d8a6f005-7eaf-4153-983e-e8574508b877"

STREAMING_PROVIDER: Final = "521eee4d-8cbe-4906-bb48-fb6bd4450033"

# What people call them.
_WORDS: Final = {
    CUSTOMERIO: "Customer.io",
    HTTP_API: "HTTP API",
    DATA_LAKE: "data lake",
    STREAMING: "GenericStreamingAEP",
    HTTP_API_MAPPED: "HTTP API with mapping",
    HTTP_API_PLAIN: "HTTP API without mapping",
}

VERSION: Final = "1.0"

# What schemas are referred to by, everywhere alike: 1425-400 compares (section 1.11).
SCHEMA_TYPE: Final = "application/vnd.adobe.xed-full+json;version=1"


def in_words(spec_id: str) -> str:
    """A spec of the above for people, with its id."""
    return f"{_WORDS[spec_id]} ({spec_id})"
