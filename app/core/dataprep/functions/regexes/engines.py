"""Matching in bounded time: RE2, and Python's `re` for short texts and simple expressions.

RE2 needs time proportional to the text and to the size of the expression, whatever they are; both
are bounded here. Python's `re` is three times faster on short texts, but it tries one way to match
after the other. It gets an expression only for texts of up to 256 characters, and only when the
ways to match such a text are at most 2^20, which is ten milliseconds at the very worst: java.py
counts them as it reads. So `[^@]+@[^@]+` is `re`'s, `(a+)+b` RE2's.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from app.core.dataprep.functions.regexes.java import SHORT_TEXT, translate
from app.core.dataprep.values import RowFault

MAX_WAYS: Final = 1 << 20

# A text this long meets no regular expression, and a large expression only shorter ones.
MAX_REGEX_INPUT: Final = 100_000
_MAX_WORK: Final = 50_000_000
# Finding all matches may look at the rest of the text for each of them.
_MAX_SPLIT_WORK: Final = 200_000_000
# Bytes for one expression; RE2 refuses what does not fit.
_MAX_MEMORY: Final = 1 << 20

Span = tuple[int, int]


class Pattern:
    """A compiled regular expression of Java's. Texts are bounded: RowFault for longer ones."""

    __slots__ = ("_longest", "_match", "plain", "short_fullmatch")

    def __init__(self, regex: str) -> None:
        translated = translate(regex)
        self.plain = translated.plain
        self._match, size = _re2(translated.text)
        self._longest = min(MAX_REGEX_INPUT, _MAX_WORK // size)
        self.short_fullmatch: Callable[[str], object] | None = None
        if translated.ways <= MAX_WAYS:
            self.short_fullmatch = _python(translated.text)

    def fullmatch(self, text: str) -> bool:
        """Does the whole text match?"""
        if self.short_fullmatch is not None and len(text) <= SHORT_TEXT:
            return self.short_fullmatch(text) is not None
        data = self._bytes(text)
        spans: list[Span] = self._match(_anchors().ANCHOR_BOTH, data, 0, len(data))
        return spans[0][0] >= 0

    def groups(self, text: str) -> list[str | None] | None:
        """The first match and its groups, null for one that took no part; None: no match."""
        data = self._bytes(text)
        spans: list[Span] = self._match(_anchors().UNANCHORED, data, 0, len(data))
        if spans[0][0] < 0:
            return None
        return [data[start:end].decode() if start >= 0 else None for start, end in spans]

    def split(self, text: str) -> list[str]:
        """The parts between the matches, empty ones too; as Java's split with limit -1."""
        data = self._bytes(text)
        anchor, parts, done, at, budget = _anchors().UNANCHORED, [], 0, 0, _MAX_SPLIT_WORK
        while at <= len(data):
            budget -= len(data)
            if budget < 0:
                raise RowFault("a text too long to split by a regular expression")
            start, end = self._match(anchor, data, at, len(data))[0]
            if start < 0:
                break
            at = end
            if start == end:
                at = _next_character(data, end)
                # An empty match parts two characters, but nothing from the text's start, and not
                # the bytes of one character, where RE2 sees a \B.
                if end == 0 or (data[end : end + 1] and data[end] & 0xC0 == 0x80):
                    continue
            parts.append(data[done:start].decode())
            done = end
        return [*parts, data[done:].decode()]

    def _bytes(self, text: str) -> bytes:
        if len(text) > self._longest:
            raise RowFault(f"a text over {self._longest} characters before a regular expression")
        return text.encode("utf-8", "replace")


def _next_character(data: bytes, at: int) -> int:
    at += 1
    while at < len(data) and data[at] & 0xC0 == 0x80:
        at += 1
    return at


def _python(text: str) -> Callable[[str], object] | None:
    try:
        return re.compile(text, re.ASCII).fullmatch
    except (re.error, OverflowError, RecursionError):  # `^*` for one: RE2 reads it, `re` does not
        return None


@lru_cache(maxsize=1)
def _anchors() -> Any:
    import re2

    return re2._re2.RE2.Anchor


def _re2(text: str) -> tuple[Callable[..., Any], int]:
    """RE2's own matching function and the size of its program. Raises RowFault.

    The object below Python's wrapper is taken: the wrapper costs six times as much, most of it to
    count characters instead of bytes.
    """
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MAX_MEMORY
    compiled = re2._re2.RE2(text.encode(), options)
    if not compiled.ok():
        raise RowFault("the regular expression cannot be read, or repeats over 1000 times")
    return compiled.Match, max(compiled.ProgramSize(), 1)
