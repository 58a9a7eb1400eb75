"""Variables in a schema document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.core.dataprep.variables import fill


def fill_schema(document: Any, variables: Mapping[str, str]) -> Any:
    """A copy of a schema document with `{TENANT}` and the like filled in, in keys and in texts.

    Raises VariableInvalid.
    """
    if isinstance(document, dict):
        return {fill(k, variables): fill_schema(child, variables) for k, child in document.items()}
    if isinstance(document, list):
        return [fill_schema(child, variables) for child in document]
    return fill(document, variables) if isinstance(document, str) else document
