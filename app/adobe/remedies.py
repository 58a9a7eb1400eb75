"""What a person can do about each refusal that Platform documents: data, and how it is looked up.

platform.md section 1.11 (Flow Service, the gateway), 4.1 (Data Prep), 5 (Schema Registry,
namespaces, Catalog) and 6.3 (Observability). Keys named here are those of a connection file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

_ROLE: Final = (
    "add the credential to a role in Platform's Permissions (API credentials tab) that may do this"
)
_PROFILE: Final = "add the product profile AEP-Default-All-Users to the Developer Console project"
NO_SANDBOX: Final = (
    "platform.sandbox_name must name a sandbox, all lower case, that the credential may use"
)
_ORG: Final = "do platform.org_id and the credentials belong together?"
_KEY: Final = "platform.credentials.client_id is missing or wrong: copy it from Developer Console"
_TOKEN: Final = "Platform did not take the token: do client_id and org_id belong to its credential?"
_GONE: Final = (
    "nothing of this id is in this sandbox: was it deleted? Check the id (platform.flow_id for a "
    "dataflow) and platform.sandbox_name"
)
_ACCEPT: Final = "the Accept header is not what this resource wants; this is a fault of Sluice"
_OURS: Final = "the request was put together wrongly; this is a fault of Sluice"
_USED: Final = "dataflows still use this connection: delete the dataflows first"
_METRICS: Final = "Platform cannot count this: are platform.dataset_id and the inlet right?"

FIX: Final[Mapping[str, str]] = {
    # Flow Service.
    "1100-400": "the organization is not entitled to this: ask Adobe what its licence covers",
    "1101-404": _GONE,
    "1401-400": _OURS,
    "1403-400": _OURS,
    "1404-412": "somebody else changed it meanwhile: look at it, then run the command again",
    "1405-400": _OURS,
    "1410-400": _OURS,
    "1412-400": "this version of the mapping set is not there: read the set's newest version",
    "1413-400": (
        "Platform does not offer this source to the organization (Customer.io's is a beta): ask "
        "Adobe to enable it, or use the HTTP API source (an authenticated inlet)"
    ),
    "1418-400": _USED,
    "1419-400": (
        "Platform refuses the mapping set: check it with `sluice mappings check`, and that the "
        "credential's role may use every field that it maps"
    ),
    "1425-400": (
        "dataset, mapping set and target connection must name the same schema id and version: "
        "make them anew with one schema"
    ),
    "1430-400": _GONE,
    "1439-400": _GONE,
    "1447-400": _USED,
    "2000-401": _ORG,
    "2001-401": _ORG,
    "2002-401": _ORG,
    "2100-404": NO_SANDBOX,
    "2101-404": NO_SANDBOX,
    "2103-404": NO_SANDBOX,
    "2105-400": NO_SANDBOX,
    "2114-400": _TOKEN,
    "2115-400": _TOKEN,
    "2118-403": _ROLE,
    "2120-403": _ROLE,
    "2121-403": _ROLE,
    # The gateway.
    "400003": "platform.org_id is missing or wrong: it ends in @AdobeOrg",
    "401013": _TOKEN,
    "403000": _KEY,
    "403003": _KEY,
    "403010": _TOKEN,
    "403025": _PROFILE,
    # Schema Registry.
    "XDM-1007-400": _ACCEPT,
    "XDM-1008-400": _ACCEPT,
    "XDM-1009-400": _ACCEPT,
    "XDM-1012-404": _GONE,
    "XDM-3005-400": (
        "another schema or field group of the organization has this title: use that one, or choose "
        "another title"
    ),
    # Identity namespaces.
    "NAMESPACE_CODE_CONFLICT": (
        "another identity namespace has this code: use that one, or choose another code"
    ),
    # Observability Insights.
    "INSGHT-1000-400": _METRICS,
    "INSGHT-1001-400": _METRICS,
    "INSGHT-1003-401": _ROLE,
}

# What a status means where there is no code, by the beginning of the path: the longest counts.
_BY_STATUS: Final[Mapping[str, Mapping[int, str]]] = {
    "": {
        400: "Platform does not take this request: is what was asked for allowed?",
        401: _ORG,
        403: (
            f"{_PROFILE}, and {_ROLE}; an answer without a body means that this machine's address "
            "is not on the organization's allow list"
        ),
        404: "are platform.api_url, flow_id, dataset_id and sandbox_name right?",
        409: "something of this name is there already: use it, or choose another name",
        412: "somebody else changed it meanwhile: look at it, then run the command again",
    },
    "/data/foundation/conversion": {
        400: "Platform does not take this mapping set: check it with `sluice mappings check`",
        401: f"Data Prep did not take the credential: {_ORG} If so, {_ROLE}",
    },
    "/data/foundation/schemaregistry": {
        400: (
            "Platform does not take this schema: are its field names letters, digits, - and _, and "
            "does a schema that is in use only gain fields?"
        ),
    },
    "/data/core/idnamespace": {
        400: "the namespace's code must be letters and digits only, and its type one of Platform's",
    },
    "/data/foundation/catalog": {
        400: "Platform does not take this dataset: is its schema in this sandbox?",
    },
}
_OTHERWISE: Final = "what was asked is not allowed"

# The entity is being changed by somebody: later.
TRANSITIONAL: Final = frozenset({"1420-400", "1421-400", "1457-400", "1458-400", "1444-400"})
_BUSY: Final = "Platform is still enabling, disabling or changing it"
_THROTTLED: Final = "Platform throttles the organization's requests"
_FAILED: Final = "a service of Platform's failed"
# A worker comes again, and nobody does it for a command.
_AGAIN: Final = "it passes by itself: run the command again in a minute"


def fix_for(code: str, status: int, path: str) -> str:
    """What to do. `code`: "" without one; unknown ones fall back to what the status says."""
    if code in FIX:
        return FIX[code]
    return next((table[status] for table in _tables(path) if status in table), _OTHERWISE)


def wait_for(code: str, status: int) -> str:
    """What is the matter with what passes by itself."""
    why = _BUSY if code in TRANSITIONAL else _THROTTLED if status == 429 else _FAILED
    return f"{why}; {_AGAIN}"


def _tables(path: str) -> Iterator[Mapping[int, str]]:
    for prefix in sorted(_BY_STATUS, key=len, reverse=True):
        if path.startswith(prefix):
            yield _BY_STATUS[prefix]
