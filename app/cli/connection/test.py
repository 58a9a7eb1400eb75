"""`sluice connection test`: the signed test event of an apply, sent again."""

from __future__ import annotations

import typer

from app.cli.connection.showing import Watch
from app.cli.connection.working import Name, Record, ShowCalls, the_setup, with_wiring
from app.cli.reading import Json, echo_json
from app.connect.run import Progress
from app.connect.wiring import Wiring


def test(name: Name, show_calls: ShowCalls = False, as_json: Json = False) -> None:
    """Send a signed test event through the public URL, and see whether a worker counts it.

    It is never delivered. Exit 1 when it was not answered 200, or no worker has counted it; while
    the lane is held nobody can, so that is only said.
    """
    setup = the_setup(name)

    async def send(wiring: Wiring, record: Record) -> bool:
        await record("connection.test")
        return await wiring.test(tell=_silent if as_json else Watch(as_json=False))

    counted = with_wiring(setup, send, show_calls=show_calls)
    if as_json:
        url = setup.webhook_url
        echo_json({"connection": name, "url": url, "answered": True, "counted": counted})
    elif counted:
        typer.echo(f"{name}: the test came through, and a worker has counted it")
    else:
        typer.echo(f"{name}: the test came through; `sluice lanes` says why the lane is held")


def _silent(_event: Progress) -> None:
    """The document at the end says it."""
