"""`sluice users`: who may use the console, and as what. Every change is in the audit trail."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from app.cli.api_tokens import token
from app.cli.audited import audited
from app.cli.reading import Json, echo_json, echo_table, moment, with_store
from app.store.connect import Store
from app.store.login_limits import LoginLimits
from app.store.passwords import fault_of
from app.store.tokens import Tokens
from app.store.users import Role, User, Users

users = typer.Typer(
    help="Who may use the console.", no_args_is_help=True, pretty_exceptions_enable=False
)
users.add_typer(token, name="token")

Name = Annotated[str, typer.Argument(help="The user.")]
RoleOption = Annotated[
    Role, typer.Option("--role", help="viewer looks, operator acts, admin both.")
]


@users.command("list")
def list_(as_json: Json = False) -> None:
    """All users."""
    found = with_store(lambda redis: Users(redis).all())
    if as_json:
        echo_json(
            [
                {
                    "name": u.name,
                    "role": u.role.value,
                    "made": moment(u.made_ms),
                    "logs_in": _how(u),
                }
                for u in found
            ]
        )
        return
    echo_table(
        ("name", "role", "made (UTC)", "logs in"),
        ((u.name, u.role, moment(u.made_ms), _how(u)) for u in found),
    )
    if not found:
        typer.echo("nobody may log in yet: sluice users add NAME --role admin", err=True)


@users.command()
def add(name: Name, role: RoleOption = Role.VIEWER) -> None:
    """Make a user. The password is asked for, or read from standard input."""
    password = _new_password()

    async def make(redis: Store) -> bool:
        try:
            return await Users(redis).add(name, role, password)
        except ValueError as fault:
            raise typer.BadParameter(str(fault)) from None

    if not audited("users.add", name, make, role=role.value):
        typer.echo(f"there is a user {name} already: `sluice users passwd`, `role`", err=True)
        raise typer.Exit(1)
    typer.echo(f"{name} may log in, as {role.value}")


@users.command()
def remove(name: Name) -> None:
    """Take a user away; sessions and tokens end at once."""

    async def take(redis: Store) -> bool:
        found = await Users(redis).remove(name)
        await Tokens(redis).revoke(name)
        return found

    _done_or_exit(name, audited("users.remove", name, take), "is gone")


@users.command()
def passwd(name: Name) -> None:
    """Set a user's password, asked for or read from standard input; sessions end at once, and who
    was kept out after too many attempts may try again."""
    password = _new_password()

    async def change(redis: Store) -> bool:
        try:
            done = await Users(redis).set_password(name, password)
        except ValueError as fault:
            raise typer.BadParameter(str(fault)) from None
        await LoginLimits(redis).forget(name)
        return done

    done = audited("users.passwd", name, change)
    _done_or_exit(name, done, "has a new password")


@users.command()
def role(name: Name, role: Annotated[Role, typer.Argument(help="The new role.")]) -> None:
    """Change what a user may do; sessions end at once, and tokens that may more."""

    async def change(redis: Store) -> bool:
        done = await Users(redis).set_role(name, role)
        await Tokens(redis).revoke_above(name, role)
        return done

    done = audited("users.role", name, change, role=role.value)
    _done_or_exit(name, done, f"is {role.value}")


@users.command()
def logout(name: Name) -> None:
    """End all of a user's sessions and tokens."""

    async def end(redis: Store) -> bool:
        await Tokens(redis).revoke(name)
        return await Users(redis).end_sessions(name)

    _done_or_exit(name, audited("users.logout", name, end), "is logged out everywhere")


def _how(user: User) -> str:
    return "through the provider" if user.sso else "here"


def _new_password() -> str:
    """From a prompt, twice; or the first line of standard input. Never from an argument, which
    other users of the machine see, and shells keep."""
    if sys.stdin.isatty():
        password = str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    if fault := fault_of(password):
        raise typer.BadParameter(fault)
    return password


def _done_or_exit(name: str, done: bool, what: str) -> None:
    if not done:
        typer.echo(f"there is no user {name}: `sluice users list`", err=True)
        raise typer.Exit(1)
    typer.echo(f"{name} {what}")
