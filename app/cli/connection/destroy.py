"""`sluice connection destroy`: everything away again, and the data only when told twice."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.connection.apply import Yes
from app.cli.connection.working import Name, Record, ShowCalls, the_setup, with_wiring
from app.cli.reading import Json, echo_json
from app.connect.destroying import Doomed, Stay, Why
from app.connect.run import Progress
from app.connect.wiring import Wiring
from app.core.errors import SluiceError


def destroy(
    name: Name,
    retired: Annotated[
        bool, typer.Option("--retired", help="Only what was replaced by newer objects.")
    ] = False,
    dataset: Annotated[
        bool,
        typer.Option("--dataset", help="Dataset, schema and field group, too, if we made them."),
    ] = False,
    yes_delete_the_data: Annotated[
        bool, typer.Option("--yes-delete-the-data", help="Needed with --dataset.")
    ] = False,
    yes: Yes = False,
    show_calls: ShowCalls = False,
    as_json: Json = False,
) -> None:
    """Take webhook, dataflow and connections away, and this machine's files of it.

    What was there before stays. The setup file stays, so that apply makes it all again. Without
    --yes the name has to be typed.
    """
    if dataset != yes_delete_the_data:
        raise typer.BadParameter(
            "--dataset and --yes-delete-the-data go together: all events in the dataset are lost"
        )

    if retired and dataset:
        raise typer.BadParameter("--retired takes nothing but what was replaced: no --dataset")

    async def both(wiring: Wiring, record: Record) -> Doomed:
        what = await wiring.doomed(dataset=dataset, retired_only=retired)
        if not as_json:
            show_doomed(what)
        if what.refusal:
            raise SluiceError(what.refusal)
        if what.nothing:
            return what
        if not yes:
            _typed(name)
        await record("connection.destroy")
        await wiring.destroy(what, tell=_silent if as_json else _tell)
        return what

    found = with_wiring(the_setup(name), both, show_calls=show_calls)
    if as_json:
        echo_json(found.document())
    elif found.nothing:
        typer.echo(f"{name}: there is nothing to destroy")
    else:
        typer.echo(f"{name}: {len(found.items)} things destroyed")


def _tell(event: Progress) -> None:
    if event.word == "done" and event.item is not None:
        typer.echo(f"  {event.item.kind}  {event.item.name or event.item.id}  gone")


def _silent(_event: object) -> None:
    """The document at the end says it."""


def show_doomed(what: Doomed) -> None:
    """To stdout: what goes, in its order, and what stays."""
    for item in what.items:
        typer.echo(f"- {item.kind}  {item.name or item.id}")
    for path in (*what.files, *what.secrets):
        typer.echo(f"- file  {path}")
    for stay in what.stays:
        typer.echo(f"= {stay.kind}: {_why(stay)}")
    if what.secrets:
        typer.echo(
            f"= setup: {what.setup} names secret files that go; delete it, or put them back before "
            "you apply it"
        )


def _why(stay: Stay) -> str:
    return {
        Why.BEFORE: "it was there before",
        Why.SWITCHED_OFF: "it was there before; it is switched off, since it calls us",
        Why.SHARED: f"setup {', '.join(stay.others)} names it, too",
        Why.USED: "what stays needs it",
        Why.DATA: "with --dataset --yes-delete-the-data it goes, too",
        Why.NO_CALL: "Platform has no call that deletes one",
        Why.NEEDED: "needed to take the data away later; they go with it",
    }[stay.why]


def _typed(name: str) -> None:
    """Ends the command unless the name is typed. Raises typer.Abort."""
    answer = typer.prompt(f"type {name} to destroy this")
    if str(answer).strip() != name:
        typer.echo("that is another name: nothing was destroyed", err=True)
        raise typer.Abort
