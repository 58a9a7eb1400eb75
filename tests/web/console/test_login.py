"""Logging in and out: sessions, their ends, and how hard it is to guess."""

from __future__ import annotations

import time

import pytest

from app.store.connect import Store
from app.store.login_limits import LoginLimits
from app.store.users import Role
from app.web.console.config import Console, ConsoleConfig
from app.web.console.pages.login import next_of
from tests.web.console.conftest import PASSWORD, Visit, field_of, parts, trail


async def test_a_session_opens_with_the_password_and_ends_with_the_log_out(
    console: Console, visit: Visit
) -> None:
    browser = await visit(console)
    answer = await browser.log_in("viewer", target="/ledger")
    assert (answer.status, answer.headers["Location"]) == (303, "/ledger")
    assert (await browser.get("/ledger"))[0] == 200

    kept = browser.cookie()
    assert (await browser.post("/logout", {})).status == 303
    assert (await browser.get("/ledger"))[0] == 303
    assert await console.sessions.look(kept) is None, "gone here, not only in the browser"


async def test_the_cookie_is_for_this_host_and_no_script(console: Console, visit: Visit) -> None:
    browser = await visit(console)
    cookie = (await browser.log_in("viewer")).headers.getall("Set-Cookie")[0]
    assert cookie.startswith("sluice=")
    assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie and "Max-Age" not in cookie


async def test_behind_https_cookies_are_for_https_alone(store: Store, visit: Visit) -> None:
    console = parts(store, ConsoleConfig(public_url="https://sluice.example.com"))
    await console.users.add("viewer", Role.VIEWER, PASSWORD)
    browser = await visit(console)
    _, page = await browser.get("/login")
    # The client, rightly, sends no Secure cookie over http: it is put there by hand.
    fields = {"csrf": field_of(page, "csrf"), "name": "viewer", "password": PASSWORD}
    headers = {"Cookie": f"sluice-login={fields['csrf']}"}
    answer = await browser.client.post(
        "/login", data=fields, headers=headers, allow_redirects=False
    )
    assert answer.status == 303
    cookie = answer.headers.getall("Set-Cookie")[0]
    assert cookie.startswith("__Host-sluice=") and "Secure" in cookie.split("; ")
    assert "max-age" in answer.headers["Strict-Transport-Security"]


async def test_a_planted_session_id_is_of_no_use(console: Console, visit: Visit) -> None:
    """Session fixation: the id of before the log-in is not the one of after."""
    browser = await visit(console, "viewer")
    first = browser.cookie()
    await browser.log_in("admin")
    assert browser.cookie() != first
    assert await console.sessions.look(first) is None


async def test_redis_holds_no_id_that_would_let_anybody_in(
    console: Console, visit: Visit, store: Store
) -> None:
    browser = await visit(console, "viewer")
    user = await console.users.get("viewer")
    assert user
    secrets = [browser.cookie().encode(), PASSWORD.encode()]
    secrets.append((await console.tokens.make(user, 1, "test")).encode())
    for key in await store.keys("sluice:console:*"):
        kind = await store.type(key)
        held = [key]
        if kind == b"hash":
            held += [part for pair in (await store.hgetall(key)).items() for part in pair]
        for secret in secrets:
            assert not any(secret in part for part in held)


async def test_an_idle_session_ends(store: Store, visit: Visit) -> None:
    console = parts(store, ConsoleConfig(idle_seconds=60, session_seconds=3600))
    await console.users.add("viewer", Role.VIEWER, PASSWORD)
    browser = await visit(console, "viewer")
    (key,) = await store.keys("sluice:console:session:*")
    await store.pexpire(key, 1_000)
    await browser.get("/ledger", **{"X-Sluice-Refresh": "1"})
    assert await store.pttl(key) <= 1_000, "a page that refreshes itself is no use of it"
    await browser.get("/ledger")
    assert 50_000 < await store.pttl(key) <= 60_000
    await store.pexpire(key, 0)
    assert (await browser.get("/ledger"))[0] == 303


async def test_no_session_outlives_its_whole_time(store: Store, visit: Visit) -> None:
    console = parts(store, ConsoleConfig(idle_seconds=600, session_seconds=900))
    await console.users.add("viewer", Role.VIEWER, PASSWORD)
    browser = await visit(console, "viewer")
    (key,) = await store.keys("sluice:console:session:*")
    now_ms = int(time.time() * 1000)
    await store.hset(key, "ends_ms", now_ms + 60_000)
    await browser.get("/ledger")
    assert await store.pttl(key) <= 60_000, "its end comes before it would be idle"
    await store.hset(key, "ends_ms", now_ms - 1)
    assert (await browser.get("/ledger"))[0] == 303
    assert not await store.exists(key)


async def test_a_new_password_logs_out_everywhere_but_here(console: Console, visit: Visit) -> None:
    here, there = await visit(console, "viewer"), await visit(console, "viewer")
    before = here.cookie()
    new = "staple of the new year"
    answer = await here.post("/account/password", {"old": PASSWORD, "new": new, "again": new})
    assert answer.status == 303
    assert here.cookie() != before
    assert (await here.get("/ledger"))[0] == 200
    assert (await there.get("/ledger"))[0] == 303
    assert (await there.log_in("viewer")).status == 401
    assert (await there.log_in("viewer", new)).status == 303


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"old": "wrong"}, "The old password is wrong"),
        ({"again": "something else entirely"}, "differ"),
        ({"new": "short", "again": "short"}, "too short"),
        ({"new": "a" * 20, "again": "a" * 20}, "too few different characters"),
    ],
)
async def test_a_password_that_will_not_do_is_refused_with_the_reason(
    console: Console, visit: Visit, change: dict[str, str], why: str
) -> None:
    browser = await visit(console, "viewer")
    new = "staple of the new year"
    fields = {"old": PASSWORD, "new": new, "again": new, **change}
    answer = await browser.post("/account/password", fields)
    assert answer.status == 400
    assert why in await answer.text()


async def test_log_out_everywhere_ends_the_others(console: Console, visit: Visit) -> None:
    here, there = await visit(console, "operator"), await visit(console, "operator")
    assert (await here.post("/account/end-sessions", {})).status == 303
    assert (await here.get("/"))[0] == 200
    assert (await there.get("/"))[0] == 303


async def test_an_admin_ends_somebody_s_sessions_and_tokens(console: Console, visit: Visit) -> None:
    admin, other = await visit(console, "admin"), await visit(console, "viewer")
    viewer = await console.users.get("viewer")
    assert viewer
    token = await console.tokens.make(viewer, 1, "test")
    assert (await admin.post("/users/end-sessions", {"name": "viewer"})).status == 303
    assert (await other.get("/"))[0] == 303
    assert await console.tokens.holder_of(token, console.users) is None


async def test_an_admin_cannot_lock_out_the_last_admin(console: Console, visit: Visit) -> None:
    admin = await visit(console, "admin")
    answer = await admin.post("/users/role", {"name": "admin", "role": "viewer"})
    assert answer.status == 400
    user = await console.users.get("admin")
    assert user and user.role is Role.ADMIN


# --- guessing ---


async def test_a_wrong_name_and_a_wrong_password_read_alike(console: Console, visit: Visit) -> None:
    browser = await visit(console)
    wrong = await browser.log_in("viewer", "not the password")
    nobody = await browser.log_in("nobody", "not the password")
    assert wrong.status == nobody.status == 401

    def said(page: str) -> str:
        return page.replace(field_of(page, "csrf"), "")

    assert said(await wrong.text()) == said(await nobody.text())


async def test_a_wrong_name_costs_as_much_work(
    console: Console, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every refusal is one verification of a password: the dear part, and nothing else is."""
    browser = await visit(console)
    verified: list[str] = []
    real = console.users.passwords._verify

    def verify(kept: str, password: str) -> bool:
        verified.append(kept)
        return real(kept, password)

    monkeypatch.setattr(console.users.passwords, "_verify", verify)
    for name in ("viewer", "nobody", "", "x" * 1000):
        await browser.log_in(name, "not the password")
    assert len(verified) == 4
    assert len({kept.split("$")[3] for kept in verified}) == 1, "with the same parameters"


async def test_guessing_at_a_user_is_slowed_down_even_with_the_right_password(
    store: Store, visit: Visit
) -> None:
    console = parts(store)
    console.limits.per_user = 3
    await console.users.add("viewer", Role.VIEWER, PASSWORD)
    browser = await visit(console)
    for _ in range(3):
        assert (await browser.log_in("viewer", "a guess at it")).status == 401
    answer = await browser.log_in("viewer")
    assert answer.status == 429
    assert int(answer.headers["Retry-After"]) > 800
    for _ in range(3):
        assert (await browser.log_in("nobody", "a guess at it")).status == 401
    assert (await browser.log_in("nobody", "a guess at it")).status == 429, "as for a user"


async def test_an_address_that_tries_many_names_is_slowed_down(store: Store, visit: Visit) -> None:
    console = parts(store)
    console.limits.per_address = 4
    await console.users.add("viewer", Role.VIEWER, PASSWORD)
    browser = await visit(console)
    for number in range(4):
        assert (await browser.log_in(f"name{number}", "one of the usual")).status == 401
    assert (await browser.log_in("viewer")).status == 429


async def test_an_ipv6_network_is_one_address(store: Store) -> None:
    limits = LoginLimits(store, per_address=2)
    assert await limits.attempt("a", "2001:db8::1") == await limits.attempt("b", "2001:db8::2") == 0
    assert await limits.attempt("c", "2001:db8::3") > 0
    assert await limits.attempt("c", "2001:db8:0:1::3") == 0


async def test_who_gets_in_begins_anew(store: Store) -> None:
    limits = LoginLimits(store, per_user=2, per_address=100)
    assert await limits.attempt("ada", "10.0.0.1") == 0
    assert await limits.attempt("ada", "10.0.0.2") == 0
    assert await limits.attempt("ada", "10.0.0.3") > 0
    await limits.forget("ada")
    assert await limits.attempt("ada", "10.0.0.3") == 0


async def test_behind_a_proxy_it_is_the_client_s_address_that_counts(
    store: Store, visit: Visit
) -> None:
    from ipaddress import ip_network

    config = ConsoleConfig(trusted_proxies=(ip_network("127.0.0.0/8"),))
    console = parts(store, config)
    await console.users.add("viewer", Role.VIEWER, PASSWORD)
    browser = await visit(console)
    _, page = await browser.get("/login")
    fields = {"csrf": field_of(page, "csrf"), "name": "viewer", "password": PASSWORD}
    headers = {"X-Forwarded-For": "6.6.6.6, 203.0.113.9"}
    await browser.client.post("/login", data=fields, headers=headers, allow_redirects=False)
    assert await trail(console) == [("viewer", "login", "", "203.0.113.9")]


async def test_refusals_are_in_the_audit_trail_without_what_was_typed(
    console: Console, visit: Visit
) -> None:
    browser = await visit(console)
    await browser.log_in("viewer", "not the password")
    await browser.log_in("my-password-by-mistake", "x")
    assert await trail(console) == [
        ("", "login.refused", "", "127.0.0.1"),
        ("", "login.refused", "viewer", "127.0.0.1"),
    ]


async def test_refusals_cannot_fill_the_audit_trail(store: Store) -> None:
    limits = LoginLimits(store, notes=3)
    assert [await limits.worth_noting() for _ in range(5)] == [True, True, True, False, False]


@pytest.mark.parametrize(
    "wanted",
    ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "",
     "/\tx", "/" + "a" * 3000, "/é"],
)  # fmt: skip
def test_the_log_in_leads_to_no_page_of_somebody_else(wanted: str) -> None:
    assert next_of(wanted) == "/"


def test_the_log_in_leads_to_the_page_that_was_wanted() -> None:
    assert next_of("/ledger?hours=1") == "/ledger?hours=1"
