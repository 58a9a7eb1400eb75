"""The plan's page says of each object that is to be created what it will have, folded away."""

from __future__ import annotations

import re

import pytest

from app.web.console.config import Console
from tests.web.console.conftest import Visit
from tests.web.console.setting_up import apply, write_setup
from tests.web.console.vendors import Vendors

pytestmark = pytest.mark.timeout(60)


def folded(page: str, kind: str) -> str:
    """What the row of that kind folds away, as people read it."""
    row = page.partition(f'<th scope="row">{kind}</th>')[2].partition("</tr>")[0]
    inside = row.partition("<details")[2].partition("</details>")[0]
    return " ".join(re.sub(r"<[^>]*>|^[^>]*>", " ", inside).split())


async def test_the_plan_says_what_will_be_created_and_not_nothing_of_it(
    ends: Vendors, ours: Console, visit: Visit
) -> None:
    admin = await visit(ours, "admin")
    await write_setup(admin, ends)
    _, page = await admin.get("/connections/acme/plan")
    webhook = folded(page, "Reporting webhook")
    assert webhook.startswith("what it will have (6) endpoint ")
    assert "with_content false" in webhook
    assert "email_drafted, email_attempted" in webhook
    assert "those Profile drops silently" in page
    assert "enableErrorDiagnostics true" in folded(page, "Dataset")
    assert "_sluicesandbox.customerio.metric string" in folded(page, "Field group")
    assert "address (known after apply)" in folded(page, "Inlet")
    assert "nothing" not in folded(page, "Dataset") + folded(page, "Dataflow")


async def test_an_apply_ends_with_the_inlet_done_too(
    ends: Vendors, ours: Console, visit: Visit
) -> None:
    admin = await visit(ours, "admin")
    await write_setup(admin, ends)
    work = await apply(admin)
    assert [line.state for line in work.lines if line.kind == "inlet"] == ["done"]
