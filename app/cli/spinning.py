"""What a terminal shows while something is counted whose end is not known."""

from __future__ import annotations

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn


def spinner(text: str, *, quiet: bool) -> Progress:
    """`text`: as rich fills it in, `{task.completed:,} done`. Nothing is shown when `quiet`, nor
    where stderr is no terminal; it is gone at the end."""
    console = Console(stderr=True)
    return Progress(
        SpinnerColumn(),
        TextColumn(text),
        console=console,
        transient=True,
        disable=quiet or not console.is_terminal,
    )
