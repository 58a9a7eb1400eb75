"""Both ends set up, watched and taken away from the console, by plain forms."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from app.sandbox.defaults import IMS_CLIENT_SECRET, SIGNING_KEY
from app.store.pipeline import Flow
from app.web.console.both_ends.draft import read_draft
from app.web.console.both_ends.wording import masked
from app.web.console.both_ends.work import State
from app.web.console.config import Console
from app.web.console.freshness import Freshness
from tests.web.console.conftest import Visit, field_of, trail
from tests.web.console.setting_up import SECRETS, apply, begin, text_of, until, write_setup
from tests.web.console.vendors import Vendors

INLET = "a1b2" + "c3" * 30

pytestmark = pytest.mark.timeout(60)


async def test_from_nothing_to_both_ends_and_away_again(
    ends: Vendors, ours: Console, visit: Visit
) -> None:
    admin = await visit(ours, "admin")
    await write_setup(admin, ends)
    status, page = await admin.get("/connections/acme/plan")
    assert status == 200 and "will be created" in page
    assert not await ends.webhooks(), "a plan changes nothing"

    work = await apply(admin)

    assert work.done == work.steps > 10
    [webhook] = await ends.webhooks()
    assert not webhook["disabled"]
    seen = [page, *[(await admin.get(path))[1] for path in (
        "/connections", "/connections/acme", "/connections/acme/plan", "/connections/acme/work",
        "/connections/acme/destroy", "/audit",
    )]]  # fmt: skip
    assert "in order" in seen[2] and "there is nothing to do" in seen[3]
    said = "".join(seen) + str(await trail(ours))
    assert not any(secret in said for secret in SECRETS)
    inlet = re.search(r"[0-9a-f]{64}", (ends.config / "connections/acme.yaml").read_text())
    assert inlet and inlet[0] not in said, "whoever has an open inlet's address can post to it"
    for path in (ends.data / "connect").rglob("*"):
        assert path.is_dir() or path.suffix == ".lock" or path.stat().st_mode & 0o77 == 0, path

    assert "Dataset: it goes only when you ask for it, below" in seen[5]
    assert "Identity namespaces: Platform has no call" in seen[5] and "--" not in text_of(seen[5])
    fields = {"expected": field_of(seen[5], "expected"), "typed": "acme"}
    await admin.post("/connections/acme/destroy", fields)
    await until(ours, State.DONE)
    assert not await ends.webhooks() and "flows" not in await ends.objects()


async def test_what_is_shown_is_done_or_nothing(ends: Vendors, ours: Console, visit: Visit) -> None:
    admin = await visit(ours, "admin")
    await write_setup(admin, ends)
    _, page = await admin.get("/connections/acme/plan")
    shown = field_of(page, "expected")
    path = ends.config / "setups/acme.yaml"
    path.write_text(path.read_text().replace("name: Customer.io events", "name: Others"))

    await admin.post("/connections/acme/apply", {"expected": shown})
    work = await until(ours, State.OUTDATED)

    assert work.plan is not None and not await ends.webhooks()
    _, page = await admin.get("/connections/acme/work")
    assert "nothing was done" in page and "Others" in page
    assert field_of(page, "expected") != shown
    assert (await admin.post("/connections/acme/apply", {})).status == 400


async def test_one_act_at_a_time_and_a_stopped_one_goes_on(
    ends: Vendors, ours: Console, visit: Visit
) -> None:
    """The console ends while it waits for the key; the next one makes nothing twice, and waits
    until five minutes are over."""
    admin = await visit(ours, "admin")
    await write_setup(admin, ends, **{"platform.settle_seconds": "300"})
    await begin(admin)
    for act in ("apply", "test", "enable", "disable"):
        assert (await admin.post(f"/connections/acme/{act}", {"expected": "x"})).status == 409, act
    await ours.both_ends.close()
    made = await ends.objects()

    again = await visit(ends.console(), "admin")
    _, page = await again.get("/connections/acme/work")
    assert "goes on where it stopped" in page
    work = await begin(again)
    assert work.steps < 10, "what was done is not done again"
    await again.post("/connections/acme/key", {"key": SIGNING_KEY})
    while not work.waits:
        await work.after(work.version)

    assert await ends.objects() == made and len(await ends.webhooks()) == 1
    _, page = await again.get("/connections/acme/work")
    assert re.search(r'The lane opens in <strong class="countdown">4:\d\d<', page)
    await again.console.both_ends.close()


async def test_a_console_that_may_not_write_looks_all_the_same(
    ends: Vendors, ours: Console, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write_setup(admin := await visit(ours, "admin"), ends)
    with monkeypatch.context() as patch:
        patch.setattr(os, "access", lambda _path, _mode: False)
        _, page = await admin.get("/connections/acme/plan")
    assert "sluice connection apply acme" in page and "Apply this plan" not in page
    await apply(admin)
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)
    _, page = await admin.get("/connections/acme")
    assert "in order" in page


async def test_a_setup_that_cannot_be_read_is_said_where_it_is_asked_for(
    ends: Vendors, ours: Console, visit: Visit
) -> None:
    (ends.config / "setups/acme.yaml").write_text("<script>: 1")
    admin = await visit(ours, "admin")
    for path in ("/connections/acme", "/connections/acme/plan", "/connections/acme/destroy"):
        status, page = await admin.get(path)
        assert status == 200 and "acme.yaml: platform: missing" in page, page[-3000:]
        assert "<script>:" not in page and "&lt;script&gt;" in page


async def test_operators_test_disable_and_enable_and_admins_mend_the_key(
    ends: Vendors, ours: Console, visit: Visit
) -> None:
    await write_setup(admin := await visit(ours, "admin"), ends)
    await apply(admin)
    operator = await visit(ours, "operator")
    for act in ("test", "disable", "enable"):
        answer = await operator.post(f"/connections/acme/{act}", {"webhook": "1"})
        assert answer.status == 303
        await until(ours, State.DONE)
        [webhook] = await ends.webhooks()
        assert webhook["disabled"] is (act == "disable")
    key = ends.data / "connect/acme.signing-key"
    key.write_text("a wrong one")
    await admin.post("/connections/acme/key", {"key": f" {SIGNING_KEY}\n"})
    await until(ours, State.DONE)
    # The one before stays good, until an event of Customer.io's shows which is right.
    newer = key.with_name("acme.signing-key.2")
    assert newer.read_text() == f"{SIGNING_KEY}\n" and newer.stat().st_mode & 0o77 == 0
    file = (ends.config / "connections/acme.yaml").read_text()
    assert file.index("acme.signing-key.2") < file.index("acme.signing-key\n")
    said = [what for _, what, on, _ in await trail(ours) if on == "acme"]
    assert said == [
        "connection.signing-key", "connection.enable", "connection.disable", "connection.test",
        "connection.signing-key", "connection.apply", "connection.setup-written",
    ]  # fmt: skip


async def test_answers_are_looked_at_and_kept_and_secrets_never_come_back(
    ends: Vendors, ours: Console, visit: Visit
) -> None:
    admin = await visit(ours, "admin")
    wrong = ends.answers(**{"platform.credentials.client_secret": "wrong-secret"})
    answer = await admin.post("/connect/check?at=2", wrong)
    assert answer.status == 200 and 'class="verdict bad"' in await answer.text()
    right = ends.answers(**{"customerio.api_key": "wrong-key", "name": "Not A Name"})
    answer = await admin.post("/connect/check?at=2", right)
    assert "a token was obtained" in await answer.text()

    answer = await admin.post("/connect", {**right, "act": "save"})
    page = await answer.text()

    assert answer.status == 422 and page.count('class="verdict bad"') == 2
    _, later = await admin.get("/connect")
    for seen in (page, later):
        assert "SANDBOX@AdobeOrg" in seen and 'value="Not A Name"' in seen
        assert not any(each in seen for each in ("wrong-secret", "wrong-key", IMS_CLIENT_SECRET))
    # An empty secret is the one that is known.
    good = ends.answers(**{"platform.credentials.client_secret": ""})
    answer = await admin.post("/connect", {**good, "act": "save"})
    assert answer.status == 303
    setup = (ends.config / "setups/acme.yaml").read_text()
    assert not any(secret in setup for secret in SECRETS)
    assert not [*(ends.data / "connect/drafts").glob("*.json")], "the draft is gone"


async def test_a_secret_of_the_machine_cannot_be_asked_for(
    ends: Vendors, ours: Console, visit: Visit
) -> None:
    """`env:` and `file:` would send what they name to whatever address the form has."""
    admin = await visit(ours, "admin")
    for reference in ("env:SLUICE_REDIS_URL", "file:/etc/passwd"):
        form = ends.answers(**{"customerio.api_key": reference})
        answer = await admin.post("/connect", {**form, "act": "save"})
        assert answer.status == 422 and "type the secret itself" in await answer.text()
    called = [call["path"] for call in (await ends.ask("/calls"))["calls"]]
    assert called and not any(path.startswith("/v1/") for path in called)


async def test_where_nothing_can_be_written_the_file_is_shown(
    ends: Vendors, ours: Console, visit: Visit
) -> None:
    (ends.config / "setups").rmdir()
    (ends.config / "setups").write_text("no folder")
    admin = await visit(ours, "admin")
    _, page = await admin.get("/connect")
    assert "The console cannot write" in page

    answer = await admin.post("/connect", {**ends.answers(), "act": "save"})
    page = await answer.text()

    assert answer.status == 200 and "sluice connect --from" in page
    assert "org_id: SANDBOX@AdobeOrg" in page and not any(each in page for each in SECRETS)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"at http://h/collection/{INLET}, x", "at http://h/collection/a1b2…, x"),
        (f"http://h/collection/batch/{INLET}?a=1", "http://h/collection/batch/a1b2…?a=1"),
        ("http://h/collection/a-name-of-its-own", "http://h/collection/a-na…"),
        ("http://h/collection/a1b2c3d4...", "http://h/collection/a1b2…"),
        (f"{INLET}.", "a1b2…."),
        (f"-H 'X-Key: {INLET}' -d x", "-H 'X-Key: a1b2…' -d x"),
        (f"https://h/schemas/{'ab' * 24}", f"https://h/schemas/{'ab' * 24}"),
    ],
)
def test_of_an_inlet_only_the_beginning_is_shown(text: str, shown: str) -> None:
    assert masked(text) == shown


def test_when_an_event_came_is_known_once_it_was_seen_to_come() -> None:
    seen = Freshness()
    old, new = Flow(), Flow()
    old.counts["received"] = 5
    seen.note({"old": old}, 1000)
    assert seen.of("old").received_ms == 0, "it was there before this console was"
    old.counts["received"], new.counts["received"], new.counts["delivered"] = 6, 1, 1
    seen.note({"old": old, "new": new}, 2000)
    seen.note({"old": old, "new": new}, 3000)
    assert (seen.of("old").received_ms, seen.of("old").delivered_ms) == (2000, 0)
    assert (seen.of("new").received_ms, seen.of("new").delivered_ms) == (2000, 2000)


def test_answers_are_for_their_owner_only_and_for_a_day(tmp_path: Path) -> None:
    mine, yours = read_draft(tmp_path, "me"), read_draft(tmp_path, "you")
    mine.take({"name": "acme", "customerio.api_key": "secret", "another": "field"})
    yours.take({"name": "other"})
    assert mine.path.stat().st_mode & 0o77 == 0
    assert read_draft(tmp_path, "me").shown() == {"name": "acme"}
    assert "secret" not in repr(mine)
    os.utime(mine.path, (0, 0))
    assert read_draft(tmp_path, "you").shown() == {"name": "other"}
    assert not mine.path.exists()
