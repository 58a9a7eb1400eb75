"""Every error that the reference names, and what a person is told to do (platform.md sections 1.11,
4.1, 5 and 6.3)."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from app.adobe.complaints import PlatformAnswer, fault_of
from app.adobe.remedies import FIX, TRANSITIONAL
from app.core.errors import (
    PlatformFault,
    PlatformInUse,
    PlatformMissing,
    PlatformRefused,
    PlatformStale,
    PlatformTaken,
    PlatformUnavailable,
)

FLOW = "POST /data/foundation/flowservice/flows"
SCHEMA = "POST /data/foundation/schemaregistry/tenant/schemas"
NAMESPACE = "POST /data/core/idnamespace/identities"
MAPPING = "POST /data/foundation/conversion/mappingSets"
DATASET = "POST /data/foundation/catalog/dataSets"
METRICS = "POST /data/infrastructure/observability/insights/metrics"

FLOW_SERVICE = [
    ("1100-400", PlatformRefused, "not entitled"),
    ("1101-404", PlatformMissing, "was it deleted?"),
    ("1439-400", PlatformMissing, "was it deleted?"),
    ("1430-400", PlatformMissing, "was it deleted?"),
    ("1102-500", PlatformUnavailable, "a service of Platform's failed"),
    ("1400-500", PlatformUnavailable, "a service of Platform's failed"),
    ("1103-503", PlatformUnavailable, "a service of Platform's failed"),
    ("1104-504", PlatformUnavailable, "a service of Platform's failed"),
    ("1401-400", PlatformRefused, "fault of Sluice"),
    ("1403-400", PlatformRefused, "fault of Sluice"),
    ("1404-412", PlatformStale, "somebody else changed it"),
    ("1405-400", PlatformRefused, "fault of Sluice"),
    ("1410-400", PlatformRefused, "fault of Sluice"),
    ("1412-400", PlatformRefused, "newest version"),
    ("1413-400", PlatformRefused, "ask Adobe to enable it"),
    ("1418-400", PlatformInUse, "delete the dataflows first"),
    ("1447-400", PlatformInUse, "delete the dataflows first"),
    ("1419-400", PlatformRefused, "sluice mappings check"),
    ("1420-400", PlatformUnavailable, "still enabling, disabling or changing it"),
    ("1421-400", PlatformUnavailable, "still enabling, disabling or changing it"),
    ("1457-400", PlatformUnavailable, "still enabling, disabling or changing it"),
    ("1458-400", PlatformUnavailable, "still enabling, disabling or changing it"),
    ("1444-400", PlatformUnavailable, "still enabling, disabling or changing it"),
    ("1425-400", PlatformRefused, "the same schema id and version"),
    ("2000-401", PlatformRefused, "platform.org_id"),
    ("2001-401", PlatformRefused, "platform.org_id"),
    ("2002-401", PlatformRefused, "platform.org_id"),
    ("2100-404", PlatformRefused, "platform.sandbox_name"),
    ("2101-404", PlatformRefused, "platform.sandbox_name"),
    ("2103-404", PlatformRefused, "platform.sandbox_name"),
    ("2105-400", PlatformRefused, "platform.sandbox_name"),
    ("2114-400", PlatformRefused, "did not take the token"),
    ("2115-400", PlatformRefused, "did not take the token"),
    ("2118-403", PlatformRefused, "add the credential to a role"),
    ("2120-403", PlatformRefused, "add the credential to a role"),
    ("2121-403", PlatformRefused, "add the credential to a role"),
    *(
        (f"{number}-500", PlatformUnavailable, "a service of Platform's failed")
        for number in (2102, 2104, 2107, 2108, 2116, 2117, 2200, 2250)
    ),
]

GATEWAY = [
    ("403010", 403, "did not take the token"),
    ("401013", 401, "did not take the token"),
    ("403000", 403, "platform.credentials.client_id"),
    ("403003", 403, "platform.credentials.client_id"),
    ("400003", 400, "platform.org_id"),
    ("403025", 403, "AEP-Default-All-Users"),
]

# Which call, status, body, exception, words.
OTHERS = [
    (SCHEMA, 400, "XDM-3005-400", PlatformTaken, "choose another title"),
    (SCHEMA, 404, "XDM-1012-404", PlatformMissing, "was it deleted?"),
    (SCHEMA, 400, "XDM-1007-400", PlatformRefused, "Accept"),
    (SCHEMA, 400, "XDM-1008-400", PlatformRefused, "Accept"),
    (SCHEMA, 400, "XDM-1009-400", PlatformRefused, "Accept"),
    (SCHEMA, 400, "XDM-9999-400", PlatformRefused, "only gain fields"),
    (SCHEMA, 403, "", PlatformRefused, "add the credential to a role"),
    (NAMESPACE, 409, "NAMESPACE_CODE_CONFLICT", PlatformTaken, "choose another code"),
    (NAMESPACE, 400, "", PlatformRefused, "letters and digits only"),
    (MAPPING, 400, "", PlatformRefused, "sluice mappings check"),
    (MAPPING, 401, "", PlatformRefused, "Data Prep did not take the credential"),
    (MAPPING, 500, "", PlatformUnavailable, "a service of Platform's failed"),
    (MAPPING, 503, "", PlatformUnavailable, "a service of Platform's failed"),
    (DATASET, 400, "", PlatformRefused, "is its schema in this sandbox?"),
    (DATASET, 404, "", PlatformMissing, "flow_id"),
    (METRICS, 400, "INSGHT-1000-400", PlatformRefused, "platform.dataset_id"),
    (METRICS, 400, "INSGHT-1001-400", PlatformRefused, "platform.dataset_id"),
    (METRICS, 500, "INSGHT-1001-500", PlatformUnavailable, "failed"),
    (METRICS, 500, "INSGHT-1002-500", PlatformUnavailable, "failed"),
    (METRICS, 401, "INSGHT-1003-401", PlatformRefused, "add the credential to a role"),
    (FLOW, 429, "", PlatformUnavailable, "throttles"),
    (FLOW, 409, "", PlatformTaken, "use it, or choose another name"),
    (FLOW, 418, "", PlatformRefused, "not allowed"),
]


def fault(call: str, status: int, body: Any, waits: str = "") -> PlatformFault:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return fault_of(call, PlatformAnswer(status, waits, raw))


@pytest.mark.parametrize(("code", "kind", "words"), FLOW_SERVICE)
def test_flow_services_codes(code: str, kind: type[PlatformFault], words: str) -> None:
    found = fault(FLOW, int(code[-3:]), {"errorCode": code, "message": "Its own words"})
    assert (type(found), found.code, found.call) == (kind, code, FLOW)
    assert words in str(found)
    assert "Its own words" in str(found)


@pytest.mark.parametrize(("code", "status", "words"), GATEWAY)
def test_the_gateways_codes(code: str, status: int, words: str) -> None:
    found = fault(FLOW, status, {"error_code": code, "message": "Its own words"})
    assert (type(found), found.code) == (PlatformRefused, code)
    assert words in str(found)
    assert found.wants_token == (code in ("403010", "401013"))


@pytest.mark.parametrize(("call", "status", "code", "kind", "words"), OTHERS)
def test_the_other_services_answers(
    call: str, status: int, code: str, kind: type[PlatformFault], words: str
) -> None:
    body = {
        "type": f"http://ns.adobe.com/aep/errors/{code}" if code else "about:blank",
        "title": "Bad", "status": status, "detail": "Its own words",
        "report": {"registryRequestId": "x", "detailed-message": "y", "sub-errors": []},
    }  # fmt: skip
    found = fault(call, status, body)
    assert (type(found), found.code, found.status) == (kind, code, status)
    assert words in str(found)
    assert "Its own words" in str(found)


def test_every_code_with_a_remedy_is_in_these_tables() -> None:
    told = {code for code, *_ in [*FLOW_SERVICE, *GATEWAY]} | {each[2] for each in OTHERS}
    assert set(FIX) | TRANSITIONAL <= told


def test_a_code_is_found_with_its_services_name_before_it() -> None:
    found = fault(FLOW, 400, {"errors": [{"code": "FLOW-1418-400", "message": "used"}]})
    assert (type(found), found.code) == (PlatformInUse, "1418-400")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, {}, PlatformMissing),
        (404, b"", PlatformMissing),
        (404, b"<html>no such host</html>", PlatformRefused),
        (404, {"errorCode": "2100-404"}, PlatformRefused),
        (412, b"", PlatformStale),
        (409, b"", PlatformTaken),
    ],
)
def test_missing_is_only_what_platform_says_is_missing(
    status: int, body: Any, kind: type[PlatformFault]
) -> None:
    """Another server's 404, or a wrong sandbox, must not read as a thing that is to be made."""
    assert type(fault(FLOW, status, body)) is kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("The sandbox with the name 'x' could not be found.", PlatformRefused),
        ("Sandbox x does not exist", PlatformRefused),
        ("Unknown sandbox", PlatformRefused),
        ("The resource was not found in sandbox x", PlatformMissing),
    ],
)
def test_a_wrong_sandbox_is_told_from_a_missing_thing_by_its_text_too(
    text: str, kind: type[PlatformFault]
) -> None:
    """Only Flow Service's codes for it are documented."""
    found = fault(SCHEMA, 404, {"type": "http://x/XDM-1000-404", "title": text})
    assert type(found) is kind
    assert ("platform.sandbox_name must name" in str(found)) == (kind is PlatformRefused)


def test_what_to_wait_is_taken_from_the_answer() -> None:
    assert fault(FLOW, 503, {}, "7").retry_in == 7
    assert fault(FLOW, 503, {}, "Wed, 21 Oct").retry_in is None
    assert fault(FLOW, 429, {}, "99999999").retry_in == 300
