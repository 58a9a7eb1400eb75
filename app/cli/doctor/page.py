"""The findings as one page: grouped by subject, worst to see at once, each with its fix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from textwrap import indent
from typing import Any, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.cli.doctor.finding import Finding, Level
from app.cli.reading import visible

_MARKS: Final = {
    Level.OK: ("ok", "green"),
    Level.WARNING: ("warning", "yellow"),
    Level.FAILED: ("failed", "bold red"),
    Level.NOT_ASKED: ("not asked", "dim"),
}


def document(found: Iterable[Finding]) -> list[dict[str, Any]]:
    """For --json: level, subject, check, text, fix, pointed."""
    return [each._asdict() for each in found]


def show(found: Sequence[Finding]) -> None:
    """To stdout: as wide as a terminal, unbroken in a pipe."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=400)
    with console.capture() as shown:
        for subject in dict.fromkeys(each.subject for each in found):
            console.print(Text(visible(subject), style="bold"))
            console.print(_table([each for each in found if each.subject == subject]))
            console.print()
        console.print(Text(summary(found)))
    for line in shown.get().splitlines():
        # A table fills its lines up, which nobody wants in a pipe.
        typer.echo(line.rstrip())


def summary(found: Iterable[Finding]) -> str:
    """`20 ok, 1 warning, 2 failed`."""
    counts = Counter(each.level for each in found)
    return ", ".join(f"{counts[level]} {level.value}" for level in Level if counts[level])


def _table(findings: Sequence[Finding]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, min_width=9)
    table.add_column(no_wrap=True, min_width=12)
    table.add_column(overflow="fold")
    for each in _together(findings):
        word, style = _MARKS[each.level]
        table.add_row(Text(word, style=style), Text(visible(each.check)), _words(each))
    return table


def _together(findings: Sequence[Finding]) -> Iterator[Finding]:
    """Those that nobody could look at for one reason as one."""
    reasons = Counter(each.text for each in findings if each.level is Level.NOT_ASKED)
    for text in dict.fromkeys(each.text for each in findings):
        these = [each for each in findings if each.text == text]
        if reasons[text] < 2:
            yield from these
            continue
        names = ", ".join(each.check for each in these)
        yield these[0]._replace(check=f"{len(these)} checks", text=f"{text} ({names})")


def _words(finding: Finding) -> Text:
    text = Text(visible(finding.text))
    if finding.pointed:
        text.append("\n" + indent(visible(finding.pointed, "\n"), "  "))
    if finding.fix:
        text.append(f"\n  fix: {visible(finding.fix)}", style="italic")
    return text
