"""`sluice connection apply` and `update`: both ends as the setup says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import typer

from app.cli.connection.showing import Watch, show_plan
from app.cli.connection.working import (
    LikeTutorial,
    Name,
    Record,
    ShowCalls,
    chosen_tutorial,
    the_setup,
    told_when_slow,
    with_wiring,
)
from app.cli.reading import Json
from app.connect.plan import Plan
from app.connect.wiring import Wiring
from app.core.errors import ConfigError, SluiceError
from app.settings import environment
from app.settings.secrets import read_secret
from app.settings.setups import Setup

KEY_VARIABLE: Final = "CUSTOMERIO_SIGNING_KEY"

KeyFile = Annotated[
    Path | None,
    typer.Option(
        "--signing-key-file",
        help=(
            "A file with the webhook's signing key, also in place of the one that is kept. For a "
            f"connection that has none yet {KEY_VARIABLE} does, too. Else it is asked for."
        ),
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def apply(
    name: Name,
    yes: Yes = False,
    signing_key_file: KeyFile = None,
    like_tutorial: LikeTutorial = "",
    show_calls: ShowCalls = False,
    as_json: Json = False,
) -> None:
    """Set both ends up as the setup says, wait until Platform is ready, and open the lane.

    May be run again at any time: it goes on where it stopped, and does nothing twice. With --json
    each step is a line.
    """
    tutorial = chosen_tutorial(like_tutorial)
    carry_out(
        the_setup(name), signing_key=key_given(signing_key_file), yes=yes, tutorial=tutorial,
        show_calls=show_calls, as_json=as_json,
    )  # fmt: skip


def update(
    name: Name, yes: Yes = False, show_calls: ShowCalls = False, as_json: Json = False
) -> None:
    """Bring a connection that is set up to what its files say now.

    A new version of the mapping set is put in place, and the dataflow pointed at it; where a
    connection at Platform would have to change, all of them and the dataflow are made anew, and the
    old one is disabled at the end. The lane is held for the five minutes that Platform needs;
    nothing is lost.
    """

    def needs_flow(plan: Plan) -> None:
        if any(item.step == "flow" and item.action.value == "create" for item in plan.items):
            raise SluiceError(f"{name} is not set up yet: `sluice connection apply {name}`")

    carry_out(
        the_setup(name), yes=yes, show_calls=show_calls, as_json=as_json, act="update",
        allowed=needs_flow,
    )  # fmt: skip


def carry_out(
    setup: Setup,
    *,
    yes: bool,
    signing_key: bytes = b"",
    may_ask: bool | None = None,
    tutorial: str = "",
    show_calls: bool = False,
    as_json: bool = False,
    act: str = "apply",
    allowed: Callable[[Plan], None] | None = None,
) -> None:
    """Plans, shows, asks, applies. `may_ask`: for the signing key; None: unless `yes`.

    Raises SluiceError and its kin, and typer.Abort.
    """
    asks = may_ask if may_ask is not None else not yes and not as_json

    async def both(wiring: Wiring, record: Record) -> None:
        with told_when_slow():
            plan = await wiring.plan(like_tutorial=tutorial)
        if allowed is not None:
            allowed(plan)
        if not as_json:
            show_plan(plan)
        if plan.work and not plan.blocked:
            if not yes:
                typer.confirm("\nDo this?", abort=True)
            await record(f"connection.{act}")
        ask = _ask if asks else None
        watch = Watch(as_json=as_json)
        await wiring.apply(plan, tell=watch, ask_key=ask, like_tutorial=tutorial)
        if not as_json:
            _conclude(setup, plan)

    first = environment().get(KEY_VARIABLE, "").strip().encode()
    with_wiring(setup, both, show_calls=show_calls, signing_key=signing_key, first_key=first)


def _conclude(setup: Setup, plan: Plan) -> None:
    done = f"{len(plan.work)} things done" if plan.work else "nothing to do"
    typer.echo(f"{setup.name}: {done}; events go from {setup.webhook_url} to Platform")
    if any(item.step == "test" for item in plan.work):
        typer.echo(
            "Press Send Test on the webhook's page in Customer.io: only that shows that the\n"
            "signing key is the right one. `sluice ledger` counts it."
        )


def key_given(path: Path | None) -> bytes:
    """The signing key in a file, b"" when nobody gave one.

    Raises ConfigError for a file that cannot be read, or is empty.
    """
    if path is None:
        return b""
    try:
        key = read_secret(path).strip()
    except OSError as fault:
        raise ConfigError([f"{path}: cannot be read: {fault.strerror}"]) from None
    if not key:
        raise ConfigError([f"{path}: is empty; put the webhook's signing key into it"])
    return key


async def _ask(_where: str) -> bytes | None:
    # Nothing else runs in this command meanwhile.
    answer: str = typer.prompt("signing key", hide_input=True)
    return answer.encode()
