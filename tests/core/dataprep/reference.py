"""The cases of tests/fixtures/dataprep: what Adobe's pages say, written down by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

_TEXT: Final = {"type": "string"}

_DOCUMENT: Final = json.loads(
    (Path(__file__).parents[2] / "fixtures" / "dataprep" / "reference.json").read_text()
)
TENANT: Final = "_sluicesandbox"
# Of the tenant's object, as a field group has them.
FIELDS: Final[dict[str, Any]] = _DOCUMENT["fields"]
CASES: Final[dict[str, dict[str, Any]]] = {case["name"]: case for case in _DOCUMENT["cases"]}
GOOD: Final = [name for name, case in CASES.items() if not case.get("refused")]
REFUSED: Final = [name for name, case in CASES.items() if case.get("refused")]

SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "_id": _TEXT,
        "eventType": _TEXT,
        TENANT: {"type": "object", "properties": FIELDS},
    },
}
