"""`sluice mappings eval`: one expression over one event, or a file of both."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from app.cli.mappings.check import tell
from app.cli.mappings.events import STDIN, answer_lines, read_object
from app.core.dataprep.values import RowFault
from app.core.errors import MappingSetInvalid
from app.core.evaluate import eval_line, evaluate


def eval_(
    expression: Annotated[
        str | None, typer.Argument(metavar="EXPRESSION", help="As in a row; quote it.")
    ] = None,
    input_: Annotated[
        str | None,
        typer.Option(
            "--input",
            help=f"The event, a JSON object; {STDIN} is stdin. Default: {{}}.",
            metavar="FILE",
        ),
    ] = None,
    batch: Annotated[
        str | None,
        typer.Option(help=f'NDJSON, {{"expr","input"}} a line; {STDIN} is stdin.', metavar="FILE"),
    ] = None,
) -> None:
    """Compute one expression over one event, and print its value as JSON.

    Exit 1 when it cannot be computed. With --batch an answer a line, {"value"} or {"error"}, in
    order, and the exit code is 0.
    """
    if batch is not None:
        if expression is not None or input_ is not None:
            raise typer.BadParameter("--batch brings its own expressions and inputs")
        answer_lines(batch, lambda line, number: eval_line(line, _now_ms()))
        return
    if expression is None:
        raise typer.BadParameter("give an EXPRESSION, or --batch FILE")
    document = {} if input_ is None else read_object(input_)
    try:
        typer.echo(evaluate(expression, document, _now_ms()))
    except MappingSetInvalid as invalid:
        for problem in invalid.problems:
            tell(problem, err=True)
        raise typer.Exit(1) from None
    except RowFault as fault:
        typer.echo(fault, err=True)
        raise typer.Exit(1) from None


def _now_ms() -> int:
    """What `now()` and `timestamp()` give here: the event is received as it is evaluated."""
    return int(time.time() * 1000)
