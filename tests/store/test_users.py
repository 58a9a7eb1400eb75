"""Users, their passwords, and what follows from a change."""

from __future__ import annotations

import asyncio
import hashlib

import orjson
import pytest
from argon2 import PasswordHasher
from arq.connections import ArqRedis

from app.store.passwords import MOST_CHARS, Passwords, fault_of
from app.store.sessions import Sessions
from app.store.tokens import Tokens
from app.store.users import Role, User, Users

PASSWORD = "correct horse battery"
WEAK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
WEAKER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1, hash_len=16)


@pytest.fixture
def users(store: ArqRedis) -> Users:
    return Users(store, Passwords(WEAK))


async def test_a_user_is_known_by_the_password_alone(users: Users) -> None:
    assert await users.add("ada", Role.OPERATOR, PASSWORD)
    user = await users.check("ada", PASSWORD)
    assert user and (user.name, user.role) == ("ada", Role.OPERATOR)
    assert await users.check("ada", PASSWORD + " ") is None
    assert await users.check("bob", PASSWORD) is None
    assert PASSWORD not in user.password and user.password.startswith("$argon2id$")
    assert user.password not in repr(user)


async def test_the_usual_hasher_is_argon2id_as_rfc_9106_has_it() -> None:
    kept = await Passwords().hash(PASSWORD)
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


async def test_a_name_is_given_once(users: Users) -> None:
    made = await asyncio.gather(*(users.add("ada", role, PASSWORD) for role in Role))
    assert sorted(made) == [False, False, True]
    assert len(await users.all()) == 1


@pytest.mark.parametrize("name", ["", "Ada", "a b", "<b>", ".ada", "a" * 65, "ada\n", "é"])
async def test_a_name_that_will_not_do_is_refused(users: Users, name: str) -> None:
    with pytest.raises(ValueError, match="is no user name"):
        await users.add(name, Role.VIEWER, PASSWORD)


def test_a_password_must_be_long_and_may_be_anything() -> None:
    assert "too short" in fault_of("eleven char")
    assert "too long" in fault_of("ab c" * 100)
    assert "too few" in fault_of("a" * 15)
    assert fault_of("пароль из слов") == fault_of(" " * 9 + "abcd") == ""


async def test_a_password_longer_than_any_is_not_worked_on(users: Users) -> None:
    """The rest of it is cut off, not hashed; and what was cut does not pass for the whole."""
    longest = ("ab c" * 100)[:MOST_CHARS]
    await users.add("ada", Role.VIEWER, longest)
    assert await users.check("ada", longest)
    assert await users.check("ada", longest + "x" * 1_000_000) is None


async def test_changes_at_the_same_time_are_all_made(users: Users) -> None:
    await users.add("ada", Role.VIEWER, PASSWORD)
    first = await users.get("ada")
    new = "staple of the new year"
    await asyncio.gather(
        users.set_role("ada", Role.ADMIN),
        users.set_password("ada", new),
        *(users.end_sessions("ada") for _ in range(5)),
    )
    user = await users.check("ada", new)
    assert first and user and user.role is Role.ADMIN
    assert user.epoch >= first.epoch + 7


async def test_a_password_hashed_otherwise_is_hashed_anew_when_it_is_used(store: ArqRedis) -> None:
    await Users(store, Passwords(WEAKER)).add("ada", Role.VIEWER, PASSWORD)
    users = Users(store, Passwords(WEAK))
    before = await users.get("ada")
    assert await users.check("ada", PASSWORD)
    after = await users.get("ada")
    assert before and after and before.password != after.password
    assert before.epoch == after.epoch, "nobody is logged out for it"
    assert await users.check("ada", PASSWORD)


@pytest.mark.parametrize("change", ["set_role", "set_password", "end_sessions", "remove"])
async def test_a_change_ends_the_sessions(store: ArqRedis, users: Users, change: str) -> None:
    await users.add("ada", Role.VIEWER, PASSWORD)
    sessions = Sessions(store, 60_000, 600_000)
    user = await users.get("ada")
    assert user
    session = await sessions.open(user)
    assert await sessions.look(session)
    more = {"set_role": (Role.ADMIN,), "set_password": ("staple of the new year",)}
    assert await getattr(users, change)("ada", *more.get(change, ()))
    assert await sessions.look(session) is None
    assert not await store.keys("sluice:console:session:*")


async def test_a_later_user_of_the_same_name_has_no_sessions(store: ArqRedis, users: Users) -> None:
    await users.add("ada", Role.ADMIN, PASSWORD)
    sessions = Sessions(store, 60_000, 600_000)
    user = await users.get("ada")
    assert user
    session = await sessions.open(user)
    await users.remove("ada")
    await users.add("ada", Role.ADMIN, PASSWORD)
    later = await users.get("ada")
    assert later and later.epoch > user.epoch
    assert await sessions.look(session) is None


async def user_called(users: Users, name: str, role: Role = Role.VIEWER) -> User:
    await users.add(name, role, PASSWORD)
    found = await users.get(name)
    assert found
    return found


async def test_revoking_takes_a_user_s_tokens_and_what_is_over(
    store: ArqRedis, users: Users
) -> None:
    tokens, made = Tokens(store), {}
    for name in ("ada", "bob"):
        user = await user_called(users, name)
        made[name] = await tokens.make(user, 1, "laptop")
        await tokens.make(user, -1, "old")
    assert [token.name for token in await tokens.all("ada")] == ["laptop"]
    assert await tokens.revoke("ada") == 1, "her old one went when another was made"
    assert await tokens.holder_of(made["ada"], users) is None
    holder = await tokens.holder_of(made["bob"], users)
    assert holder and (holder.user.name, holder.name) == ("bob", "laptop")
    assert await store.hlen("sluice:console:tokens") == 1


async def test_a_token_s_name_is_its_user_s_only_one(store: ArqRedis, users: Users) -> None:
    tokens = Tokens(store)
    ada, bob = await user_called(users, "ada"), await user_called(users, "bob")
    await tokens.make(ada, 1, "laptop")
    await tokens.make(bob, 1, "laptop")
    with pytest.raises(ValueError, match="has a token laptop already"):
        await tokens.make(ada, 1, "laptop")
    assert await tokens.revoke_one("ada", "laptop")
    assert not await tokens.revoke_one("ada", "laptop")
    await tokens.make(ada, 1, "laptop")
    for at in range(49):
        await tokens.make(ada, 1, f"t{at}")
    with pytest.raises(ValueError, match="50 tokens already"):
        await tokens.make(ada, 1, "one-more")
    await users.remove("ada")
    again = await user_called(users, "ada")
    await tokens.make(again, 1, "laptop")
    assert [each.name for each in await tokens.all("ada")] == ["laptop"], "hers of before are gone"


async def test_a_token_may_no_more_than_its_user(store: ArqRedis, users: Users) -> None:
    tokens, ada = Tokens(store), await user_called(users, "ada", Role.OPERATOR)
    with pytest.raises(ValueError, match="cannot be admin"):
        await tokens.make(ada, 1, "a", Role.ADMIN)
    low = await tokens.make(ada, 1, "low", Role.VIEWER)
    high = await tokens.make(ada, 1, "high")
    found = [await tokens.holder_of(token, users) for token in (low, high)]
    assert [each and each.role for each in found] == [Role.VIEWER, Role.OPERATOR]

    # As if the command were killed between the two.
    await users.set_role("ada", Role.VIEWER)
    assert await tokens.holder_of(high, users) is None
    await users.set_role("ada", Role.OPERATOR)
    assert await tokens.holder_of(high, users) is None, "a role that comes back revives nothing"
    assert await tokens.revoke_above("ada", Role.VIEWER) == 0
    assert await tokens.holder_of(low, users)


async def test_when_a_token_was_used_is_known_to_the_minute(store: ArqRedis, users: Users) -> None:
    tokens, ada = Tokens(store), await user_called(users, "ada")
    token = await tokens.make(ada, 1, "laptop")
    assert [each.used_ms for each in await tokens.all()] == [0]
    await tokens.holder_of(token, users)
    [used] = [each.used_ms for each in await tokens.all()]
    assert used > 0
    await tokens.holder_of(token, users)
    assert [each.used_ms for each in await tokens.all()] == [used]


async def test_a_token_of_a_release_before_names_is_good_and_can_be_revoked(
    store: ArqRedis, users: Users
) -> None:
    tokens, ada = Tokens(store), await user_called(users, "ada", Role.ADMIN)
    kept = {"user": "ada", "user_made_ms": ada.made_ms, "made_ms": 1, "ends_ms": 2**52}
    digest = hashlib.sha256(b"sluice_old").hexdigest()
    await store.hset("sluice:console:tokens", digest, orjson.dumps(kept))
    holder = await tokens.holder_of("sluice_old", users)
    assert holder and (holder.role, holder.name) == (Role.ADMIN, f"unnamed-{digest[:8]}")
    assert await tokens.revoke_one("ada", holder.name)


def test_roles_include_those_before_them() -> None:
    assert [[a.allows(b) for b in Role] for a in Role] == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]
