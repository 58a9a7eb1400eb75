"""`sluice users token`: what programs, and a `sluice` elsewhere, show the console."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.audited import audited
from app.cli.reading import Json, echo_json, echo_table, moment, with_store
from app.store.connect import Store
from app.store.tokens import DEFAULT_DAYS, MOST_DAYS, Tokens
from app.store.users import Role, Users

token = typer.Typer(
    help="API tokens: for programs, and for `sluice` against a console elsewhere.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

User = Annotated[str, typer.Argument(help="Whose it is.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="What it is called: where it is used.")]


@token.command()
def add(
    user: User,
    name: Name,
    role: Annotated[
        Role | None, typer.Option("--role", help="What it may; by default what its user may.")
    ] = None,
    days: Annotated[
        float, typer.Option(min=0.01, max=MOST_DAYS, help="Good for so long.")
    ] = DEFAULT_DAYS,
) -> None:
    """Make a token. It is shown once, on standard output, and kept nowhere."""

    async def make(redis: Store) -> str:
        found = await Users(redis).get(user)
        try:
            return await Tokens(redis).make(found, days, name, role) if found else ""
        except ValueError as fault:
            raise typer.BadParameter(str(fault)) from None

    asked = {"token": name, "days": days} | ({"role": role.value} if role else {})
    made = audited("tokens.add", user, make, **asked)
    if not made:
        typer.echo(f"there is no user {user}: `sluice users list`", err=True)
        raise typer.Exit(1)
    typer.echo(made)


@token.command("list")
def list_(
    user: Annotated[str | None, typer.Argument(help="Only this user's.")] = None,
    as_json: Json = False,
) -> None:
    """Tokens that are good: whose, what they may, until when, when they were used last."""
    found = with_store(lambda redis: Tokens(redis).all(user))
    if as_json:
        echo_json([each.document() for each in found])
        return
    echo_table(
        ("user", "token", "role", "made (UTC)", "ends (UTC)", "used last (UTC)"),
        (
            (x.user, x.name, x.role or "its user's", moment(x.made_ms), moment(x.ends_ms),
             moment(x.used_ms) if x.used_ms else "never")
            for x in found
        ),
    )  # fmt: skip
    if not found:
        typer.echo("there are no tokens: `sluice users token add` makes one", err=True)


@token.command()
def revoke(user: User, name: Name) -> None:
    """End a token, at once. Exit 1 when there is none of that name."""
    done = audited(
        "tokens.revoke", user, lambda redis: Tokens(redis).revoke_one(user, name), token=name
    )
    if not done:
        typer.echo(f"{user} has no token {name}: `sluice users token list`", err=True)
        raise typer.Exit(1)
    typer.echo(f"{name} of {user} is revoked")
