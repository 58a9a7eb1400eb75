"""A mapping set tried on the sample of recent events, in the console."""

from __future__ import annotations

import shutil
import time
from html import unescape
from pathlib import Path

import orjson
from arq.connections import ArqRedis

from app.store.connect import Store
from app.store.samples import Samples
from app.store.users import Role
from app.web.console.config import Console
from tests.web.console.conftest import PASSWORD, ROOT, Visit, parts, trail
from tests.web.console.furnish import HOSTILE

PATH = "/mappings/customerio-default/preview"


async def sample(redis: ArqRedis, *bodies: bytes) -> None:
    await Samples(redis, 1000, 3_600_000).keep("example", bodies, int(time.time() * 1000))


def event(at: int, **changes: object) -> bytes:
    document = {
        "event_id": f"01HF{at:022d}", "object_type": "email", "metric": "sent",
        "timestamp": 1_700_000_000,
        "data": {"customer_id": "c1", "delivery_id": "D", "identifiers": {"id": "c1"},
                 "recipient": "ada@example.com", "subject": HOSTILE},
    }  # fmt: skip
    return orjson.dumps(document | changes)


async def test_what_a_set_makes_of_recent_events_is_shown_masked(
    console: Console, visit: Visit
) -> None:
    late = event(2, timestamp="ada's yesterday")
    await sample(console.redis, event(1), late, b'{"event_id": "x"}')
    browser = await visit(console, "viewer")
    for headers in ({}, {"HX-Request": "true"}):
        status, page = await browser.get(PATH, **headers)
        assert status == 200 and ("<html" in page) is (not headers)
        assert "2 of 3</span> would be dead letters" in page
        assert "passes" in page and "text of" in page and "customerio-default@" in page
        assert "ada" not in page and "onerror" not in page and "/preview/values" not in page
        assert "parse " in page, "what is no event is told, too"
    assert [what for _, what, *_ in await trail(console)] == ["login"]
    assert f'hx-get="{PATH}"' in (await browser.get("/mappings/customerio-default"))[1]


async def test_values_are_shown_to_who_asks_and_may_and_that_is_written_down(
    console: Console, visit: Visit
) -> None:
    await sample(console.redis, event(1))
    viewer, operator = await visit(console, "viewer"), await visit(console, "operator")
    assert (await viewer.get(f"{PATH}/values"))[0] == 403
    _, page = await operator.get(PATH)
    assert f"{PATH}/values?connection=example" in page and "ada@" not in page
    _, page = await operator.get(f"{PATH}/values?connection=example")
    assert "ada@example.com" in page and "<img" not in page and "onerror" in unescape(page)
    assert (await trail(console))[0] == (
        "operator", "mappings.preview", "customerio-default", "127.0.0.1",
    )  # fmt: skip
    _, page = await viewer.get(PATH)
    assert "ada@" not in page, "what one asked for is not kept for another"


async def test_what_cannot_be_tried_says_why(store: Store, visit: Visit, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "config", tmp_path / "config")
    broken = tmp_path / "config" / "mappings" / "broken.json"
    row = {"sourceType": "EXPRESSION", "source": "lower(", "destination": "a"}
    broken.write_text(orjson.dumps({"mappings": [row]}).decode())
    console = parts(store, SLUICE_CONFIG_DIR=str(tmp_path / "config"))
    await console.users.add("viewer", Role.VIEWER, PASSWORD)
    browser = await visit(console, "viewer")
    assert "lower(" in unescape((await browser.get("/mappings/broken/preview"))[1])
    assert "no event of example in the sample" in (await browser.get(PATH))[1]
    assert "no event of example" in (await browser.get(f"{PATH}?connection=nobody"))[1]
    assert (await browser.get("/mappings/nobody/preview"))[0] == 404
