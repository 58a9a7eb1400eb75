"""platform.md section 4.1: mapping sets, and whether the whole of Sluice's own set stands up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.core.dataprep import posted
from app.core.xdm.compose.registry import registry_requests
from app.sandbox.traffic import every_kind
from tests.sandbox.dataflow import CONVERSION, NEEDED_ROWS, TENANT, Dataflow, tutorial_rows

CONFIG = Path(__file__).parents[2] / "config"
SETS = f"{CONVERSION}/mappingSets"
BAD = {"sourceType": "EXPRESSION", "source": "lower(", "destination": "eventType"}
NOWHERE = {"sourceType": "STATIC", "source": "x", "destination": f"{TENANT}.nothing"}


@pytest.fixture
async def made(platform: Any) -> Dataflow:
    made = Dataflow(platform)
    await made.schema()
    return made


def _set(made: Dataflow, *rows: Any) -> dict[str, Any]:
    return {"outputSchema": {"schemaRef": made.schema_ref}, "mappings": list(rows)}


async def test_a_set_comes_back_with_its_older_twins(made: Dataflow) -> None:
    answer = await made.made(SETS, _set(made, *tutorial_rows(), *NEEDED_ROWS), 200)
    assert len(answer["id"]) == 32 and answer["version"] == 0

    _, stored = await made.platform.ask("GET", f"{SETS}/{answer['id']}")

    first, last = stored["mappings"][0], stored["mappings"][-1]
    assert first["source"] == first["sourceAttribute"] == "data.identifiers.cio_id"
    assert first["destination"] == first["destinationXdmPath"] == f"{TENANT}.cio_id"
    assert (first["sourceType"], last["sourceType"]) == ("text/x.schema-path", "text/x.aep-xl")
    assert stored["xdmSchema"] == made.ids["schema"]
    _, rows = await made.platform.ask("GET", f"{SETS}/{answer['id']}/mappings")
    assert rows == stored["mappings"]
    one = f"{SETS}/{answer['id']}/mappings/{rows[1]['id']}"
    assert (await made.platform.ask("GET", one))[1] == rows[1]


async def test_a_put_is_one_version_further_and_the_old_one_stays(made: Dataflow) -> None:
    id = (await made.made(SETS, _set(made, *NEEDED_ROWS), 200))["id"]

    _, answer = await made.platform.ask("PUT", f"{SETS}/{id}", _set(made, NEEDED_ROWS[0]))

    assert answer["version"] == 1
    for version, rows in ((0, 2), (1, 1)):
        _, found = await made.platform.ask("GET", f"{SETS}/{id}?version={version}")
        assert (found["version"], len(found["mappings"])) == (version, rows)
    assert (await made.platform.ask("GET", f"{SETS}/{id}?version=2"))[0] == 404


async def test_a_list_needs_limit_and_start(made: Dataflow) -> None:
    for name in "ab":
        await made.made(SETS, {**_set(made, *NEEDED_ROWS), "name": name}, 200)
    for query in ("", "?limit=1", "?start=0"):
        assert (await made.platform.ask("GET", SETS + query))[0] == 400

    _, answer = await made.platform.ask("GET", f"{SETS}?limit=1&start=1&orderBy=%2BcreatedDate")

    assert answer["_page"] == {"count": 2, "limit": 1}
    assert [each["name"] for each in answer["data"]] == ["b"]
    _, named = await made.platform.ask("GET", f"{SETS}?limit=5&start=0&name=a")
    assert [each["name"] for each in named["data"]] == ["a"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"mappings": []},
        {"mappings": [{"source": "x"}]},
        {"mappings": [{"sourceType": "x", "source": "x", "destination": "_id"}]},
        {"mappings": [BAD]},
        {"outputSchema": {}},
        {"outputSchema": {"schemaRef": {"id": "https://ns.adobe.com/no", "contentType": "x"}}},
    ],
)
async def test_a_set_that_nobody_can_read_is_refused(made: Dataflow, wrong: Any) -> None:
    body = {**_set(made, *NEEDED_ROWS), **wrong}
    assert (await made.platform.ask("POST", SETS, body))[0] == 400


async def test_validate_answers_for_each_mapping_in_order(made: Dataflow) -> None:
    _, answer = await made.platform.ask(
        "POST", f"{SETS}/validate", _set(made, NEEDED_ROWS[0], BAD, NOWHERE)
    )

    entries = answer["validationResponse"]
    assert [each["status"] for each in entries] == ["SUCCESS", "FAILED", "FAILED"]
    assert entries[0]["errors"] is None and entries[1]["errors"] and entries[2]["errors"]


async def test_preview_shows_the_record_and_the_rows_that_failed(made: Dataflow) -> None:
    fails = {"sourceType": "EXPRESSION", "source": "to_integer(metric)", "destination": "eventType"}
    body = {
        "data": [{"event_id": "01A", "timestamp": 1_700_000_000, "metric": "sent"}],
        "mappingSet": _set(made, *NEEDED_ROWS, fails),
    }

    _, (answer,) = await made.platform.ask("POST", f"{SETS}/preview", body)

    assert answer["data"] == {"_id": "01A", "timestamp": "2023-11-14T22:13:20.000Z"}
    (error,) = answer["errors"]
    assert error.keys() == {"source", "destination", "sourceType", "columnName", "exception"}
    assert error["destination"] == "eventType"


async def test_the_expression_language_is_told(platform: Any) -> None:
    base = f"{CONVERSION}/languages/el"
    good = await platform.ask("POST", f"{base}/validate", {"expression": "lower(a.b)"})
    assert good[1] == {"validationStatus": "succeeded", "error": "none"}
    _, bad = await platform.ask("POST", f"{base}/validate", {"expression": "lower("})
    assert bad["validationStatus"] == "failed"
    _, functions = await platform.ask("GET", f"{base}/functions")
    assert {"lower", "iif", "now"} <= {each["function"] for each in functions}
    _, operators = await platform.ask("GET", f"{base}/operators")
    assert {"+", "/", "~", "-", "!"} <= {each["operatorSymbol"] for each in operators}


async def test_the_api_files_answer_to_an_expression_is_a_boolean(start: Any) -> None:
    """Section 4.1 notes that the two sources differ."""
    platform = await start(expression_answer="boolean")
    path = f"{CONVERSION}/languages/el/validate"
    assert await platform.ask("POST", path, {"expression": "lower(a)"}) == (200, True)
    assert await platform.ask("POST", path, {"expression": "lower("}) == (200, False)


async def test_sluices_own_schema_and_set_make_records_that_land(start: Any) -> None:
    """Every kind of event, raw, through the mapping set as it is posted to Platform."""
    schema = json.loads(
        (CONFIG / "schemas/customerio-events.json").read_text().replace("{TENANT}", TENANT[1:])
    )
    platform = await start(schema=schema)
    document = json.loads((CONFIG / "mappings/customerio-default.json").read_text())
    variables = {
        "TENANT": TENANT[1:],
        "ID_NAMESPACE": "CioId",
        "CIO_ID_NAMESPACE": "CioCioId",
        "EMAIL_NAMESPACE": "Email",
    }
    made = Dataflow(platform)
    for request in registry_requests(variables):
        body = json.loads(
            json.dumps(request["body"]).replace(
                "{the $id of the field group}", made.ids.get("group", "")
            )
        )
        path = request["path"].removeprefix("/data")
        answer = await made.made(path, body, 200 if "idnamespace" in path else 201)
        made.ids["group" if "fieldgroups" in path else "schema"] = answer.get("$id", "")
    await made.dataset()
    await made.source()
    await made.target()
    body = posted(document, variables)
    body["outputSchema"] = {"schemaRef": made.schema_ref}
    made.ids["mapping"] = (await made.made(SETS, body, 200))["id"]
    await made.flow()
    platform.clock.now += 300
    url = (await made.shown())["options"]["inletUrl"] + f"?x-adobe-flow-id={made.ids['flow']}"
    bodies = every_kind(1)
    for event in bodies:
        headers = {"Content-Type": "application/json"}
        answer = await platform.client.session.post(url, data=event, headers=headers)
        assert answer.status == 200

    failed = await platform.get("/failed?settle=true")
    assert failed["records"] == []
    assert (await platform.get("/lake"))["landed"] == len(bodies)
