"""Log-ins through an OpenID provider: a real one, that signs with a key of its own."""

from __future__ import annotations

import hashlib
import hmac
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import orjson
import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestServer
from joserfc.jwk import RSAKey

from app.core.errors import ConfigError
from app.settings import load_settings
from app.store.connect import Store
from app.store.users import Role
from app.web.console.config import Console
from app.web.console.oidc.config import OidcConfig
from app.web.console.oidc.provider import Provider
from tests.web.console.conftest import PASSWORD, Browser, Visit, parts, trail
from tests.web.console.oidc import BACK, CLIENT, SECRET, FakeProvider, Person, new_key, signed

ROLES = (("sluice-ops", Role.OPERATOR), ("sluice-admins", Role.ADMIN), ("staff", Role.VIEWER))


@pytest.fixture
async def there() -> AsyncIterator[FakeProvider]:
    fake = FakeProvider()
    async with TestServer(fake.app()) as server:
        fake.url = f"http://127.0.0.1:{server.port}"
        yield fake


def joined(store: Store, there: FakeProvider, **more: Any) -> Console:
    """A console that knows the provider."""
    given: dict[str, Any] = {"client_secret": there.secret, **more}
    config = OidcConfig(there.url, CLIENT, BACK, ROLES, **given)
    return replace(parts(store), provider=Provider(config))


async def log_in(
    browser: Browser, there: FakeProvider, person: Person | None = None, target: str = "/"
) -> ClientResponse:
    """There and back; what the console answers at the end."""
    begun = await browser.client.get(f"/login/oidc?next={target}", allow_redirects=False)
    assert begun.status == 303, await begun.text()
    code, state = there.authorize(begun.headers["Location"], person)
    return await come_back(browser, code, state)


async def come_back(browser: Browser, code: str, state: str, **more: str) -> ClientResponse:
    given = {"code": code, "state": state, **more}
    return await browser.client.get("/login/oidc/back", params=given, allow_redirects=False)


async def test_who_the_provider_vouches_for_gets_in_with_the_role_it_says(
    store: Store, there: FakeProvider, visit: Visit
) -> None:
    console = joined(store, there)
    browser = await visit(console)
    assert "/login/oidc?next=/ledger" in (await browser.get("/login?next=/ledger"))[1]
    answer = await log_in(browser, there, target="/ledger")
    assert (answer.status, answer.headers["Location"]) == (303, "/ledger")
    assert (await browser.get("/audit"))[0] == 200, "an operator, the highest of two roles"
    user = await console.users.get("ada@example.com")
    assert user and user.role is Role.OPERATOR
    assert await trail(console) == [("ada@example.com", "login", "", "127.0.0.1")]
    assert there.keys_asked == 1

    # Lost there, lost here: with the next log-in, anywhere.
    token = await console.tokens.make(user, 1, "laptop")
    other = await visit(console)
    assert (await log_in(other, there, Person(groups="staff"))).status == 303
    assert (await browser.get("/"))[0] == 303
    assert (await other.get("/audit"))[0] == 403
    assert await console.tokens.holder_of(token, console.users) is None
    assert there.keys_asked == 1, "keys are remembered"


async def test_who_is_nobody_there_any_more_is_nobody_here(
    store: Store, there: FakeProvider, visit: Visit
) -> None:
    console = joined(store, there)
    browser = await visit(console)
    await log_in(browser, there)
    user = await console.users.get("ada@example.com")
    assert user
    token = await console.tokens.make(user, 1, "laptop", Role.VIEWER)
    refused = await log_in(await visit(console), there, Person(groups=["guests"]))
    assert refused.status == 401
    assert "nothing that the provider says of you is a role here" in await refused.text()
    assert (await browser.get("/"))[0] == 303
    assert await console.tokens.holder_of(token, console.users) is None


def forged(claims: dict[str, Any], header: dict[str, Any], signature: bytes = b"") -> str:
    parts = [orjson.dumps(header), orjson.dumps(claims)]
    return ".".join(urlsafe_b64encode(each).rstrip(b"=").decode() for each in [*parts, signature])


def unsigned(claims: dict[str, Any]) -> str:
    return forged(claims, {"alg": "none"})


async def test_a_token_that_is_not_right_lets_nobody_in(
    store: Store, there: FakeProvider, visit: Visit
) -> None:
    rsa = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"})
    there.shown = [there.key, rsa]
    public = rsa.as_pem(private=False)
    now = int(time.time())

    def shared(claims: dict[str, Any]) -> str:
        """Signed with the public key, taken for a shared secret."""
        text = forged(claims, {"alg": "HS256", "kid": "rsa"}).rpartition(".")[0]
        digest = hmac.digest(public, text.encode(), hashlib.sha256)
        return f"{text}.{urlsafe_b64encode(digest).rstrip(b'=').decode()}"

    lies: list[tuple[dict[str, Any], Any, str]] = [
        ({"nonce": "another"}, None, "of another log-in"),
        ({"nonce": None}, None, "of another log-in"),
        ({"aud": "somebody-else"}, None, "for another audience"),
        ({"aud": None}, None, "for another audience"),
        ({"aud": [CLIENT, "b"]}, None, "for another party"),
        ({"azp": "b"}, None, "for another party"),
        ({"iss": "https://evil.example"}, None, "of another issuer"),
        ({"exp": now - 61}, None, "the token is over"),
        ({"exp": "never"}, None, "the token has no exp"),
        ({"iat": now + 120}, None, "of the future"),
        ({"nbf": now + 120}, None, "of the future"),
        ({"sub": ""}, None, "says of nobody"),
        ({"email": None}, None, "gives no claim email"),
        ({"email_verified": False}, None, "has not verified"),
        ({"email": "ada lovelace"}, None, "cannot be a name here"),
        ({}, unsigned, "signature is not right (UnsupportedAlgorithmError)"),
        ({}, shared, "signature is not right (UnsupportedAlgorithmError)"),
        ({}, lambda claims: signed(new_key("two"), claims), "that the provider does not show"),
        ({}, lambda claims: signed(new_key("one"), claims), "signature is not right (BadSignature"),
        ({}, lambda claims: signed(there.key, claims)[:-8], "signature is not right (BadSignature"),
        ({}, lambda _: "no token", "signature is not right"),
        ({}, lambda _: "x" * 70_000, "the token is too long"),
    ]  # fmt: skip
    console = joined(store, there)
    console.limits.notes = 1_000
    browser = await visit(console)
    for claims, sign, why in lies:
        there.claims, there.sign = claims, sign
        answer = await log_in(browser, there)
        page = await answer.text()
        assert (answer.status, why in page) == (401, True), (why, page[-1500:])
        assert browser.cookie() == ""
    assert await console.users.all() == []
    assert {(who, what) for who, what, _, _ in await trail(console)} == {("", "login.refused")}

    there.claims, there.sign = {"aud": [CLIENT, "b"], "azp": CLIENT}, None
    there.key = rsa
    assert (await log_in(browser, there)).status == 303, "and this one is right"


async def test_a_log_in_is_ended_once_and_where_it_was_begun(
    store: Store, there: FakeProvider, visit: Visit
) -> None:
    console = joined(store, there)
    browser, other = await visit(console), await visit(console)
    begun = await browser.client.get("/login/oidc", allow_redirects=False)
    code, state = there.authorize(begun.headers["Location"])
    victim = await come_back(other, code, state)
    assert victim.status == 401 and "not begun in this browser" in await victim.text()
    assert (await come_back(browser, code, state)).status == 401, "and it is over with that"

    begun = await browser.client.get("/login/oidc", allow_redirects=False)
    cookies = {"sluice-oidc": begun.cookies["sluice-oidc"].value}
    code, state = there.authorize(begun.headers["Location"])
    assert (await come_back(browser, code, state)).status == 303
    again = await other.client.get(
        "/login/oidc/back", params={"code": code, "state": state}, cookies=cookies,
        allow_redirects=False,
    )  # fmt: skip
    assert again.status == 401, "a state that is played again"
    for given in ({}, {"state": "guess", "code": "x"}):
        assert (await other.client.get("/login/oidc/back", params=given)).status == 401
    [pending] = await store.keys("sluice:console:oidc:*") or [None]
    assert pending is None


async def test_the_provider_s_no_and_another_s_yes_are_refused(
    store: Store, there: FakeProvider, visit: Visit
) -> None:
    browser = await visit(joined(store, there))
    for more, why in (
        ({"error": "<script>alert(1)</script>"}, "the provider let nobody in"),
        ({"iss": "https://evil.example"}, "the answer is another provider"),
    ):
        begun = await browser.client.get("/login/oidc", allow_redirects=False)
        code, state = there.authorize(begun.headers["Location"])
        answer = await come_back(browser, code, state, **more)
        page = await answer.text()
        assert answer.status == 401 and why in page and "alert(1)" not in page


async def test_keys_that_were_renewed_are_asked_for_once_a_minute(
    store: Store, there: FakeProvider, visit: Visit
) -> None:
    now = [0.0]
    console = joined(store, there)
    assert console.provider
    config = console.provider.config
    console = replace(console, provider=Provider(config, clock=lambda: now[0]))
    browser = await visit(console)
    assert (await log_in(browser, there)).status == 303
    there.key = new_key("two")
    assert (await log_in(browser, there)).status == 401
    assert there.keys_asked == 1, "whoever makes up key ids makes us ask nobody"
    now[0] = 61.0
    assert (await log_in(browser, there)).status == 303
    assert there.keys_asked == 2


async def test_nobody_becomes_a_local_user_or_another_of_the_same_name(
    store: Store, there: FakeProvider, visit: Visit
) -> None:
    console = joined(store, there)
    await console.users.add("ada@example.com", Role.ADMIN, PASSWORD)
    browser = await visit(console)
    answer = await log_in(browser, there)
    assert answer.status == 401 and "taken here by somebody else" in await answer.text()
    assert (await browser.log_in("ada@example.com")).status == 303, "local users go on"

    fresh = await visit(console)
    assert (await log_in(fresh, there, Person(email="bob@example.com"))).status == 303
    other = Person(sub="another", email="bob@example.com", groups=["sluice-admins"])
    assert (await log_in(await visit(console), there, other)).status == 401


async def test_who_logs_in_through_the_provider_has_no_password_here(
    store: Store, there: FakeProvider, visit: Visit
) -> None:
    console = joined(store, there)
    browser = await visit(console)
    await log_in(browser, there)
    _, page = await browser.get("/account")
    assert "your password is kept there" in page and "/account/password" not in page
    with pytest.raises(ValueError, match="through the provider"):
        await console.users.set_password("ada@example.com", "correct horse battery")
    for guess in ("", "!", "nobody has this password"):
        assert (await (await visit(console)).log_in("ada@example.com", guess)).status == 401


@pytest.mark.parametrize(
    ("secret", "methods"), [(None, []), (SECRET, ["client_secret_post", "private_key_jwt"])]
)
async def test_the_console_shows_who_it_is_as_the_provider_wants_it(
    store: Store, there: FakeProvider, visit: Visit, secret: str | None, methods: list[str]
) -> None:
    there.secret, there.methods = secret, methods
    browser = await visit(joined(store, there))
    assert (await log_in(browser, there)).status == 303


async def test_names_and_roles_may_come_from_other_claims(
    store: Store, there: FakeProvider, visit: Visit
) -> None:
    console = joined(store, there, name_claim="preferred_username", role_claim="realm.roles")
    more = {"preferred_username": "Grace", "realm": {"roles": ["sluice-admins", 7, None]}}
    assert (await log_in(await visit(console), there, Person(more=more))).status == 303
    assert [(user.name, user.role) for user in await console.users.all()] == [("grace", Role.ADMIN)]


async def test_a_provider_that_is_away_or_odd_keeps_local_users_in(
    store: Store, there: FakeProvider, visit: Visit
) -> None:
    there.down = True
    console = joined(store, there)
    await console.users.add("glass", Role.ADMIN, PASSWORD)
    browser = await visit(console)
    answer = await browser.client.get("/login/oidc", allow_redirects=False)
    assert answer.status == 503 and "cannot answer now" in await answer.text()
    there.down = False
    for about, why in (
        ({"issuer": "https://other.example"}, "calls itself otherwise"),
        ({"token_endpoint": "http://evil.example/token"}, "lacks an https address"),
    ):
        there.about = about
        answer = await browser.client.get("/login/oidc", allow_redirects=False)
        assert answer.status == 401 and why in await answer.text()
    assert (await browser.log_in("glass")).status == 303


async def test_begun_log_ins_are_bounded(store: Store, there: FakeProvider, visit: Visit) -> None:
    console = joined(store, there)
    console.limits.per_address = 1
    browser = await visit(console)
    seen = [
        (await browser.client.get("/login/oidc", allow_redirects=False)).status for _ in range(12)
    ]
    assert seen == [303] * 10 + [429] * 2


async def test_without_a_provider_there_is_no_such_log_in(console: Console, visit: Visit) -> None:
    browser = await visit(console)
    assert "/login/oidc" not in (await browser.get("/login"))[1]
    assert (
        (await browser.get("/login/oidc"))[0] == (await browser.get("/login/oidc/back"))[0] == 404
    )


GOOD = {
    "SLUICE_OIDC_ISSUER": "https://login.example.com/realms/a",
    "SLUICE_OIDC_CLIENT_ID": CLIENT,
    "SLUICE_OIDC_ROLES": "CN=Ops,OU=Groups=operator; admins = admin;",
    "SLUICE_CONSOLE_URL": "https://sluice.example.com",
}


def test_settings_of_a_provider_are_read() -> None:
    settings = load_settings({**GOOD, "SLUICE_OIDC_CLIENT_SECRET": SECRET})
    assert settings.oidc_roles == (("CN=Ops,OU=Groups", "operator"), ("admins", "admin"))
    assert SECRET not in repr(settings)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"SLUICE_OIDC_CLIENT_ID": None}, "SLUICE_OIDC_CLIENT_ID: missing"),
        ({"SLUICE_OIDC_ROLES": None}, "SLUICE_OIDC_ROLES: missing"),
        ({"SLUICE_OIDC_ROLES": "admins=god"}, "GROUP=ROLE"),
        ({"SLUICE_CONSOLE_URL": None}, "SLUICE_CONSOLE_URL: missing"),
        ({"SLUICE_OIDC_ISSUER": "http://login.example.com"}, "SLUICE_OIDC_ISSUER: use https://"),
        ({"SLUICE_OIDC_SCOPES": "profile"}, "SLUICE_OIDC_SCOPES"),
    ],
)
def test_settings_of_a_provider_that_do_not_go_together_are_said(
    change: dict[str, str | None], why: str
) -> None:
    given = {name: value for name, value in {**GOOD, **change}.items() if value is not None}
    with pytest.raises(ConfigError, match=why):
        load_settings(given)
