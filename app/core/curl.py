"""A request as the curl command that a person would paste into a shell, without its secrets.

Where a secret was, the command names a shell variable: set it, and the command runs.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final

import orjson

# Takes one command; for `--show-calls`.
Show = Callable[[str], None]

_NEXT_LINE: Final = " \\\n  "


def curl(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None = None,
    *,
    form: Sequence[tuple[str, str]] = (),
    secrets: Mapping[str, str],
) -> str:
    """The command for one request. JSON bodies are laid out over lines, others are as they are.

    `form`: fields of a form, instead of a body. `secrets`: secret text -> the shell variable that
    stands for it, wherever in the request it is.
    """
    parts = [f"curl -X {method} {_quoted(url, secrets)}"]
    parts += [f"-H {_quoted(f'{name}: {value}', secrets)}" for name, value in headers.items()]
    parts += [f"--data-urlencode {_quoted(f'{name}={value}', secrets)}" for name, value in form]
    if body is not None:
        parts.append(f"--data-raw {_quoted(_laid_out(body), secrets)}")
    return _NEXT_LINE.join(parts)


def _laid_out(body: bytes) -> str:
    with suppress(orjson.JSONDecodeError):
        body = orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2)
    return body.decode(errors="replace")


def _quoted(text: str, secrets: Mapping[str, str]) -> str:
    """One word of the shell. The longest secret first: one may be the beginning of another."""
    known = sorted((secret for secret in secrets if secret), key=len, reverse=True)
    if not known:
        return shlex.quote(text)
    pieces = re.split("(" + "|".join(map(re.escape, known)) + ")", text)
    words = [
        f'"${secrets[piece]}"' if turn % 2 else shlex.quote(piece)
        for turn, piece in enumerate(pieces)
        if piece
    ]
    return "".join(words) or "''"
