"""Replaced objects, plans like Adobe's tutorial, the calls of an act, and lanes, in the console."""

from __future__ import annotations

import re
from html import unescape

import pytest
import yaml

from app.core.errors import StoreUnavailable
from app.store.lanes import Lanes
from app.web.console.both_ends.work import CALLS_KEPT, State, Work
from app.web.console.config import Console
from tests.web.console.conftest import ROOT, Browser, Visit, field_of
from tests.web.console.setting_up import SECRETS, apply, text_of, until, write_setup
from tests.web.console.vendors import Vendors

pytestmark = pytest.mark.timeout(60)


async def looked_again(admin: Browser) -> str:
    """The connection's page with a look of now: the page itself waits only a moment for one."""
    await admin.get("/connections/acme?again")
    await admin.get("/api/connections/acme")
    return (await admin.get("/connections/acme"))[1]


async def test_what_was_replaced_is_shown_and_only_that_destroyed(
    ends: Vendors, ours: Console, visit: Visit
) -> None:
    admin = await visit(ours, "admin")
    await write_setup(admin, ends)
    await apply(admin)
    path = ends.config / "setups/acme.yaml"
    path.write_text(path.read_text().replace("name: Customer.io events", "name: Others"))
    _, page = await admin.get("/connections/acme/plan")
    await admin.post("/connections/acme/apply", {"expected": field_of(page, "expected")})
    await until(ours, State.DONE)
    page = await looked_again(admin)
    assert "Was replaced, and is still there" in page and "/destroy?retired=1" in page
    assert "/destroy?retired=1" not in (await (await visit(ours, "operator")).get(
        "/connections/acme"
    ))[1]  # fmt: skip

    _, page = await admin.get("/connections/acme/destroy?retired=1&dataset=1")
    shown = text_of(page)
    assert "Destroy what was replaced" in shown and "Reporting webhook" not in shown
    assert "dataset" not in shown.lower()
    fields = {"expected": field_of(page, "expected"), "typed": "acme", "retired": "1"}
    unsaid = {**fields, "retired": ""}
    await admin.post("/connections/acme/destroy", unsaid)
    assert "not what you were shown" in (await until(ours, State.FAILED)).fault
    await admin.post("/connections/acme/destroy", fields)
    await until(ours, State.DONE)

    left = await ends.objects()
    assert (left["flows"], left["targetConnections"], left["dataSets"]) == (1, 1, 2)
    assert (left["sourceConnections"], left["connections"]) == (1, 1)
    assert len(await ends.webhooks()) == 1
    page = await looked_again(admin)
    assert "Was replaced" not in page and "in order" in page


async def test_a_plan_as_adobe_s_tutorial_makes_it_is_for_looking_only(
    ends: Vendors, ours: Console, visit: Visit
) -> None:
    admin = await visit(ours, "admin")
    await write_setup(admin, ends)
    _, page = await admin.get("/connections/acme/plan")
    assert "tutorial" not in page, "they are about another kind of source"
    _, page = await admin.get("/connections/acme/plan?like=ui")
    assert "need `customerio`, not `http_api`" in page

    path = ends.config / "setups/acme.yaml"
    document = yaml.safe_load(path.read_text())
    document["platform"]["source"] = {"kind": "customerio"}
    path.write_text(yaml.safe_dump(document))
    _, page = await admin.get("/connections/acme/plan")
    assert 'href="/connections/acme/plan?like=api"' in page and "Apply this plan" in page
    for like, words in (("api", "by API"), ("ui", "in the UI")):
        _, page = await admin.get(f"/connections/acme/plan?like={like}")
        assert f"tutorial makes it {words}" in text_of(page).replace("&#39;", "'")
        assert "neither _id nor timestamp" in page and "will be created" in page
        assert "Apply this plan" not in page
    assert (await admin.get("/connections/acme/plan?like=both"))[0] == 400
    assert not await ends.webhooks() and not await ends.objects()


async def test_the_calls_of_an_act_are_shown_as_curl_without_secrets(
    ends: Vendors, ours: Console, visit: Visit
) -> None:
    admin = await visit(ours, "admin")
    await write_setup(admin, ends)
    work = await apply(admin)
    assert work.called_in_all == len(work.calls) > 30

    _, page = await (await visit(ours, "operator")).get("/connections/acme/work")

    shown = unescape(page)
    assert f"{work.called_in_all} calls made" in shown
    assert shown.count("<pre") == len(work.calls)
    for call in ("/ims/token/v3", "/data/foundation/flowservice/flows", "/webhooks/acme"):
        assert f"curl -X POST {ends.url}{call}" in shown
    assert '"$ACCESS_TOKEN"' in shown
    assert not any(secret in shown for secret in SECRETS)
    inlet = re.search(r"[0-9a-f]{64}", (ends.config / "connections/acme.yaml").read_text())
    assert inlet and inlet[0] not in shown
    _, page = await (await visit(ours, "viewer")).get("/connections/acme/work")
    assert "curl" not in page


def test_of_very_many_calls_the_newest_are_kept() -> None:
    work = Work("acme", "apply", "ada")
    for number in range(CALLS_KEPT + 5):
        work.called(f"curl {number}")
    assert (work.calls[0], len(work.calls), work.called_in_all) == (
        "curl 5", CALLS_KEPT, CALLS_KEPT + 5,
    )  # fmt: skip


async def test_a_lane_is_shown_though_nothing_was_received_and_nothing_set_up(
    ends: Vendors, ours: Console, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_hand = (ROOT / "config/connections/example.yaml").read_text()
    (ends.config / "connections/by-hand.yaml").write_text(by_hand.replace("example", "by-hand"))
    admin = await visit(ours, "admin")
    await write_setup(admin, ends)
    lane = re.compile(r"by-hand</a>.*?Lane\">(.*?)</td>", re.DOTALL)

    _, page = await admin.get("/connections")
    assert (found := lane.search(page)) and "open" in found[1]
    assert re.search(r'acme</a>.*?Lane">-</td>', page, re.DOTALL), "it has no connection file yet"
    await Lanes(ours.redis).pause("by-hand", "operator:a new schema", 600, by_operator=True)
    _, page = await admin.get("/connections")
    assert (found := lane.search(page)) and "paused" in found[1]
    _, page = await admin.get("/connections/by-hand")
    assert re.search("operator: a new schema, [0-9a-z ]+ to go", text_of(page))

    async def away(_lanes: Lanes, _name: str) -> None:
        raise StoreUnavailable("away")

    monkeypatch.setattr(Lanes, "state", away)
    _, page = await admin.get("/connections/by-hand")
    assert "unknown: Redis cannot be asked" in text_of(page)


async def test_data_are_asked_for_only_where_some_may_go(
    ends: Vendors, ours: Console, visit: Visit
) -> None:
    admin = await visit(ours, "admin")
    await write_setup(admin, ends)
    await apply(admin)
    path = "/connections/acme/destroy"
    assert f'href="{path}?dataset=1"' in (await admin.get(path))[1]
    _, page = await admin.get(f"{path}?dataset=1")
    assert "With the dataset go all events in it" in page and 'name="data"' in page

    setups = ends.config / "setups"
    (setups / "other.yaml").write_text((setups / "acme.yaml").read_text())
    for asked in (path, f"{path}?dataset=1"):
        _, page = await admin.get(asked)
        assert "Dataset: the setup other names it, too" in page
        assert "dataset=1" not in page and 'name="data"' not in page
    fields = {"expected": field_of(page, "expected"), "typed": "acme"}
    await admin.post(path, fields)
    await until(ours, State.DONE)
    assert (await ends.objects())["dataSets"] == 1
