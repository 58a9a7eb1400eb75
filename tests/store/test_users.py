"""Users, their passwords, and what follows from a change."""

from __future__ import annotations

import asyncio

import pytest
from argon2 import PasswordHasher
from arq.connections import ArqRedis

from app.store.passwords import MOST_CHARS, Passwords, fault_of
from app.store.sessions import Sessions
from app.store.tokens import Tokens
from app.store.users import Role, Users

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


async def test_revoking_takes_a_user_s_tokens_and_what_is_over(
    store: ArqRedis, users: Users
) -> None:
    tokens = Tokens(store)
    made = {}
    for name in ("ada", "bob"):
        await users.add(name, Role.VIEWER, PASSWORD)
        user = await users.get(name)
        assert user
        made[name] = await tokens.make(user, 1)
        await tokens.make(user, -1)
    assert await tokens.revoke("ada") == 2
    assert await tokens.user_of(made["ada"], users) is None
    assert (await tokens.user_of(made["bob"], users)) == await users.get("bob")
    assert await store.hlen("sluice:console:tokens") == 1


def test_roles_include_those_before_them() -> None:
    assert [[a.allows(b) for b in Role] for a in Role] == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]
