"""What reading commands share: the store for one command, times as people write them, two faces
(a table, and JSON) of the same answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Annotated, Any, TypeVar

import orjson
import typer
from rich.console import Console
from rich.table import Table

from app.cli.afar.choice import require_here
from app.core.errors import SluiceError, StoreUnavailable
from app.core.moments import moment, moment_ms, span_ms
from app.settings import environment, load_settings
from app.store.connect import Store, open_store

__all__ = ["Json", "age_ms", "echo_json", "echo_table", "moment", "with_store"]

T = TypeVar("T")

Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


def with_store(ask: Callable[[Store], Awaitable[T]]) -> T:
    """Opens the store, asks, closes it. Raises ConfigError, also when a console elsewhere is meant,
    and SluiceError when Redis is away."""
    require_here("this command")

    async def run() -> T:
        settings = load_settings(environment())
        redis = open_store(settings.redis, data_dir=settings.data_dir)
        try:
            return await ask(redis)
        except StoreUnavailable as fault:
            hint = "Is it running, here with `make up`? SLUICE_REDIS_URL says where it is."
            known = f" {hint}" if fault.reason == "away" else ""
            raise SluiceError(f"Redis cannot be used ({fault}).{known}") from fault
        finally:
            await redis.aclose(close_connection_pool=True)

    return asyncio.run(run())


def age_ms(text: str | None, option: str) -> int | None:
    """`90s`, `15m`, `2h`, `7d` in ms. Raises typer.BadParameter."""
    return _ms(span_ms, text, option)


def utc_ms(text: str | None, option: str) -> int | None:
    """`2026-01-31`, `2026-01-31T18:00` in Unix ms. Raises typer.BadParameter."""
    return _ms(moment_ms, text, option)


def _ms(read: Callable[[str], int], text: str | None, option: str) -> int | None:
    if text is None:
        return None
    try:
        return read(text)
    except ValueError as fault:
        raise typer.BadParameter(str(fault), param_hint=option) from None


def visible(text: str, keep: str = "") -> str:
    """The text with all that a terminal obeys or hides as escapes, but for `keep`: it may come from
    an event, and an event from anybody."""
    return "".join(
        char if char.isprintable() or char in keep else char.encode("unicode_escape").decode()
        for char in text
    )


def echo_json(value: Any) -> None:
    """One JSON document to stdout."""
    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2, default=_plain))


def echo_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table to stdout: as wide as a terminal, unbroken in a pipe."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=400)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        name, right = column.removeprefix(">"), column.startswith(">")
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(visible(str(cell)) for cell in row))
    console.print(table, markup=False)


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, tuple):
        return list(value)
    raise TypeError(f"no JSON for {type(value).__name__}")
