"""The functions of the expression language, by category; names are Adobe's (section 4.3).

Every function is total: whatever JSON it is given, it answers with a value or raises RowFault, in
bounded time and memory, and leaves its arguments as they are. What null gives is told at each.

Functions that read their arguments only as far as needed (`iif`, `decode`, `coalesce`,
`contains_key`, `nullify`) are not here: compiler/inline.py writes them as branches.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from app.core.dataprep.functions import (
    arrays,
    convert,
    dates,
    hashes,
    maps,
    objects,
    regexes,
    special,
    strings,
    urls,
    user_agents,
)
from app.core.dataprep.values import Value

FUNCTIONS: Final[Mapping[str, Callable[..., Value]]] = {
    **strings.FUNCTIONS,
    **regexes.FUNCTIONS,
    **hashes.FUNCTIONS,
    **urls.FUNCTIONS,
    **dates.FUNCTIONS,
    **objects.FUNCTIONS,
    **maps.FUNCTIONS,
    **arrays.FUNCTIONS,
    **convert.FUNCTIONS,
    **user_agents.FUNCTIONS,
}

# Functions that are called with the values.Occasion of the run before their arguments.
FUNCTIONS_OF_EVENT: Final[Mapping[str, Callable[..., Value]]] = special.FUNCTIONS_OF_EVENT

# Functions that always give a boolean: conditions on them need no further reading.
BOOLEAN: Final = frozenset(
    {
        "is_empty", "equals", "equalsIgnoreCase", "matches_regex", "map_has_keys", "contains_key",
        "is_set",
    }
)  # fmt: skip

_ANALYTICS: Final = "it reads Adobe Analytics data and is for Analytics and Web SDK sources only"
_DESTINATIONS: Final = "Adobe has it for exports to destinations only; in a mapping write "

# Adobe's functions that a set for Sluice cannot use, and why.
REFUSED: Final[Mapping[str, str]] = {
    "fpid_to_ecid": "only Adobe's identity service can compute an ECID; send the FPID instead",
    "array_to_string": _DESTINATIONS + "join(separator, array)",
    "filterArray": _DESTINATIONS + "a row for each item that is wanted, array[0].field",
    "transformArray": _DESTINATIONS + "a row with array[*].field",
    "flattenArray": _DESTINATIONS + "join_arrays(array[0], array[1])",
    **dict.fromkeys(
        (
            "aa_get_event_id", "aa_get_event_value", "aa_get_product_categories",
            "aa_get_product_names", "aa_get_product_quantity", "aa_get_product_quantities",
            "aa_get_product_price", "aa_get_product_prices", "aa_get_product_event_values",
            "aa_get_product_events", "aa_get_product_event_ids", "aa_get_product_evars",
        ),
        _ANALYTICS,
    ),
}  # fmt: skip
