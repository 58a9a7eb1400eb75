"""`sluice send`: Customer.io traffic to any URL, and what became of it."""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

import typer
import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from app.core.errors import UnreadableEvent
from app.core.event import parse_event
from app.sandbox.customerio.sender import Manner, send_all
from app.sandbox.customerio.tally import Tally
from app.sandbox.traffic import Shares, Shot, ShotKind, send_test_body, shots
from app.settings import environment, load_settings
from app.settings.addresses import receiver_url
from app.settings.secrets import read_secret

_CONNECTION: Final = "example"
_DEFAULT_COUNT: Final = 1000

Share = Annotated[float, typer.Option(min=0.0, max=1.0)]


# Longer than others: one parameter an option.
def send(
    url: Annotated[
        str | None, typer.Option(help="Where to post; default: /webhooks/example at our receiver.")
    ] = None,
    key_env: Annotated[
        str | None, typer.Option(help="Variable with the signing key; default EXAMPLE_SIGNING_KEY.")
    ] = None,
    key_file: Annotated[
        Path | None, typer.Option(help="File with the signing key.", dir_okay=False, exists=True)
    ] = None,
    count: Annotated[int | None, typer.Option(min=1, help="How many webhooks.")] = None,
    rate: Annotated[float | None, typer.Option(min=0.001, help="Webhooks a second.")] = None,
    duration: Annotated[float | None, typer.Option(min=0.001, help="Stop after seconds.")] = None,
    duplicates: Share = 0.0,
    bad_signatures: Share = 0.0,
    garbage: Share = 0.0,
    body_bytes: Annotated[
        int | None, typer.Option(min=1, max=1_000_000, help="Pad shorter bodies to this size.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Same seed, same bytes, same event ids. Default: new ones.")
    ] = None,
    serial: Annotated[
        bool, typer.Option("--serial", help="One after the other, as Customer.io does.")
    ] = False,
    concurrency: Annotated[int, typer.Option(min=1, help="At once, unless --serial.")] = 64,
    backoff_scale: Annotated[
        float, typer.Option(min=0.0, help="With --serial: Customer.io's waits times this.")
    ] = 0.001,
    patience: Annotated[
        float, typer.Option(min=0.0, help="Seconds until a webhook is given up.")
    ] = 300.0,
    test: Annotated[bool, typer.Option("--test", help="The body of the Send Test button.")] = False,
    body: Annotated[
        list[Path] | None,
        typer.Option(help="Send these exact bodies, signed.", dir_okay=False, exists=True),
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Summary as JSON.")] = False,
) -> None:
    """Send signed, realistic Customer.io traffic and sum up what was acknowledged.

    The summary's `ledger` part is what `sluice ledger` must have grown by. Exit 0: all
    acknowledged; 1: some never, or a bad signature was taken; 2: wrong use.
    """
    order = Order(count, duration, Shares(duplicates, bad_signatures, garbage), body_bytes, seed)
    stream, total = what_to_send(order, test=test, bodies=tuple(body or ()))
    environ = environment()
    target = url or default_url(environ)
    manner = Manner(
        url=target,
        key=resolve_key(key_file, key_env or key_name(target), environ),
        concurrency=concurrency,
        serial=serial,
        rate=rate,
        duration_s=duration,
        patience_s=patience,
        backoff_scale=backoff_scale,
    )
    tally = _run(stream, total, manner, quiet=json_output)
    if json_output:
        typer.echo(json.dumps(tally.as_dict(), indent=2))
    else:
        Console().print(_table(tally))
    raise typer.Exit(0 if tally.all_well else 1)


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for on the command line."""

    count: int | None
    duration_s: float | None
    shares: Shares
    body_bytes: int | None
    seed: int | None


def default_url(environ: Mapping[str, str]) -> str:
    """The example connection at the receiver of this Sluice."""
    return f"{receiver_url(load_settings(environ))}/webhooks/{_CONNECTION}"


def key_name(url: str) -> str:
    """The variable that a connection's key lies in by convention: EXAMPLE_SIGNING_KEY."""
    connection = urlsplit(url).path.partition("/webhooks/")[2].strip("/") or _CONNECTION
    return f"{re.sub(r'[^A-Za-z0-9]', '_', connection).upper()}_SIGNING_KEY"


def resolve_key(key_file: Path | None, name: str, environ: Mapping[str, str]) -> bytes:
    """The signing key: from a file, else from the variable `name` or the file `name`_FILE says.

    Raises typer.BadParameter (exit 2) naming what to set.
    """
    if key_file is not None:
        return _key_in(key_file)
    if found := environ.get(name, "").strip("\r\n"):
        return found.encode()
    if path := environ.get(f"{name}_FILE"):
        return _key_in(Path(path))
    raise typer.BadParameter(
        f"no signing key: set {name}, or give --key-file, or start the system with `make up`"
    )


def what_to_send(
    order: Order, test: bool, bodies: tuple[Path, ...]
) -> tuple[Iterator[Shot], int | None]:
    """The webhooks and how many there are (None: until the time is over)."""
    shares = order.shares
    mixed = shares.duplicates + shares.bad_signatures + shares.garbage
    if mixed > 1.0:
        raise typer.BadParameter("--duplicates, --bad-signatures and --garbage come to more than 1")
    if (test or bodies) and mixed:
        raise typer.BadParameter("shares go with made-up traffic only, not with --test or --body")
    if test and bodies:
        raise typer.BadParameter("--test or --body, not both")
    total = order.count
    if test or bodies:
        total = total or (1 if test else len(bodies))
        exact = [send_test_body(int(time.time()))] if test else [p.read_bytes() for p in bodies]
        return exact_shots(exact, total), total
    if total is None and order.duration_s is None:
        total = _DEFAULT_COUNT
    # Without a seed the events are new ones, of now; with one they are the same every time.
    live = order.seed is None
    seed = random.SystemRandom().getrandbits(64) if order.seed is None else order.seed
    clock = (lambda: time.time_ns() // 1_000_000) if live else None
    return shots(seed, total, shares, body_bytes=order.body_bytes, now_ms=clock), total


def exact_shots(bodies: list[bytes], count: int) -> Iterator[Shot]:
    """`bodies` in turn, `count` in all; each told apart by what the receiver will make of it."""
    seen: dict[str, int] = {}
    for number, body in enumerate(islice(cycle(bodies), count)):
        try:
            event = parse_event(body)
        except UnreadableEvent:
            yield Shot(ShotKind.GARBAGE, number, body)
            continue
        if event.is_send_test:
            yield Shot(ShotKind.TEST, number, body)
        elif event.event_id in seen:
            yield Shot(ShotKind.DUPLICATE, seen[event.event_id], body)
        else:
            seen[event.event_id] = number
            yield Shot(ShotKind.EVENT, number, body)


def _key_in(path: Path) -> bytes:
    try:
        key = read_secret(path)
    except OSError as fault:
        raise typer.BadParameter(f"cannot read {path}: {fault.strerror}") from None
    if not key:
        raise typer.BadParameter(f"{path} is empty; put the signing key into it")
    return key


def _run(stream: Iterator[Shot], total: int | None, manner: Manner, quiet: bool) -> Tally:
    tally = Tally()
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("sending"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
        console=console,
        disable=quiet or not console.is_terminal,
    )
    with bar:
        task = bar.add_task("", total=total, note="")

        def done() -> None:
            answers = " ".join(f"{status}:{n}" for status, n in sorted(tally.answers.items()))
            bar.update(task, advance=1, note=answers)

        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(send_all(stream, manner, tally, done))
        except KeyboardInterrupt:
            console.print("stopped early")
    return tally


def _table(tally: Tally) -> Table:
    found = tally.as_dict()
    table = Table(title=f"{found['sent']['total']} webhooks in {found['seconds']} s")
    for column in ("", "sent", "acknowledged"):
        table.add_column(column, justify="left" if not column else "right")
    for name, number in found["sent"].items():
        table.add_row(name.replace("_", " "), str(number), str(found["acknowledged"][name]))
    table.add_section()
    for name in ("unique_events", "never_acknowledged", "rejected_signatures", "unclear"):
        table.add_row(name.replace("_", " "), "", str(found[name]))
    for name in ("answers", "ledger", "latency_ms"):
        table.add_section()
        for key, number in found[name].items():
            table.add_row(f"{name.replace('_', ' ')}: {key}", "", str(number))
    table.add_section()
    table.add_row("acknowledged a second", "", str(found["acknowledged_per_second"]))
    return table
