"""Java's regular expressions, told in the words that RE2 and Python's `re` have in common.

Adobe runs on Java, and its page names no other dialect (platform.md section 4.3). Read here is
java.util.regex.Pattern but for what cannot be done in bounded time or needs the text looked at
twice: look-around, back references, possessive quantifiers, `\\G`, `\\X`. These are refused with a
text that says what to write instead.

Small differences stay. `$` outside `(?m)` is the very end (Java: before a last line end too) where
RE2 looks for a match within a text, and RE2 takes `(?i)` for all scripts, Java for ASCII.

Python's `re` tries every way to match, so each piece read here also counts its ways: engines.py
gives `re` only what has few.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from app.core.dataprep.functions.regexes import refusals
from app.core.dataprep.functions.regexes.characters import (
    LINE_ENDS,
    SHORT,
    UNIX_LINE_END,
    Characters,
    NotWorkedOut,
    literal,
    named,
    of,
    union,
)
from app.core.dataprep.values import RowFault

MAX_REGEX: Final = 4096
MAX_GROUP_DEPTH: Final = 50

# So many ways has one quantifier without an upper end, on the longest text `re` is given.
SHORT_TEXT: Final = 256
# More ways than these are not told apart: only RE2 is fit for them.
ENDLESS: Final = 1 << 60

_QUOTED: Final = re.compile(r"\\Q(.*?)(?:\\E|\Z)|\\.", re.DOTALL)
_QUANTIFIER: Final = re.compile(r"([?*+]|\{(\d{1,4})(,?)(\d{0,4})\})([?+]?)")
_FLAGS: Final = re.compile(r"\(\?([a-zA-Z]*)(?:-([a-zA-Z]*))?([:)])")
_NAMED_GROUP: Final = re.compile(r"\(\?<[a-zA-Z][a-zA-Z0-9]*>")
_PROPERTY: Final = re.compile(r"[pP](?:\{(\^?[A-Za-z0-9_=]{1,40})\}|([A-Z]))")
_CODE: Final = re.compile(
    r"x([0-9a-fA-F]{2})|x\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|0([0-3][0-7]{2}|[0-7]{1,2})"
)
_CONTROLS: Final = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "a": "\a", "e": "\x1b"}


class Piece(NamedTuple):
    """A part of an expression: its text for both engines, and in how many ways it can match.

    `single`: it is one character, so that repeating it has as many ways as there are characters.
    """

    text: str
    ways: int = 1
    single: bool = False


class Translated(NamedTuple):
    """An expression told to both engines; `plain`: the text it stands for when it is just text."""

    text: str
    ways: int
    plain: str | None


def translate(regex: str) -> Translated:
    """Reads a Java regular expression. Raises RowFault, which says what to write instead."""
    if len(regex) > MAX_REGEX:
        raise RowFault(f"a regular expression over {MAX_REGEX} characters")
    return _Reader(_QUOTED.sub(_unquoted, regex)).whole()


def _unquoted(found: re.Match[str]) -> str:
    """`\\Q…\\E` as single escaped characters, as Java itself reads it."""
    if found[1] is None:
        return found[0]
    return "".join(c if c.isalnum() or not c.isascii() else "\\" + c for c in found[1])


class _Reader:
    """Reads from left to right; `_at` is the place of the next character."""

    def __init__(self, regex: str) -> None:
        self._regex = regex
        self._at = 0
        self._depth = 0
        self._plain: list[str] | None = []
        self._only_re2 = False

    def whole(self) -> Translated:
        flags = frozenset[str]()
        found = _FLAGS.match(self._regex)
        if found and found[3] == ")" and not found[2]:
            # At the very start flags hold for all, and both engines take them there.
            flags = self._changed(flags, found)
        start = "".join(sorted(flags & {"i", "m"}))
        piece = self._alternatives(flags)
        if self._at < len(self._regex):
            raise RowFault("the regular expression has a ) without its (")
        text = f"(?{start}){piece.text}" if start else piece.text
        ways = ENDLESS if self._only_re2 else piece.ways
        return Translated(text, ways, None if self._plain is None else "".join(self._plain))

    # -- structure --------------------------------------------------------------------------

    def _alternatives(self, flags: frozenset[str]) -> Piece:
        self._depth += 1
        if self._depth > MAX_GROUP_DEPTH:
            raise RowFault(f"groups nested deeper than {MAX_GROUP_DEPTH} levels")
        around, texts, ways = flags, list[str](), 0
        while True:
            # A flag set before a | holds behind it too, until the group's end.
            opening = "" if flags == around else _opening(flags)
            piece, flags = self._sequence(flags)
            texts.append(opening + piece.text + (")" if opening else ""))
            ways = min(ways + piece.ways, ENDLESS)
            if not self._takes("|"):
                break
            self._plain = None
        self._depth -= 1
        return Piece("|".join(texts), ways)

    def _sequence(self, flags: frozenset[str]) -> tuple[Piece, frozenset[str]]:
        text, ways, opened = "", 1, 0
        while self._at < len(self._regex) and self._regex[self._at] not in "|)":
            found = _FLAGS.match(self._regex, self._at)
            if found and found[3] == ")":
                flags = self._changed(flags, found)
                text += _opening(flags)
                opened += 1
                continue
            piece = self._repeated(self._atom(flags))
            text += piece.text
            ways = min(ways * piece.ways, ENDLESS)
        return Piece(text + ")" * opened, ways), flags

    def _repeated(self, piece: Piece) -> Piece:
        found = _QUANTIFIER.match(self._regex, self._at)
        if found is None:
            return piece
        self._at = found.end()
        self._plain = None
        if found[5] == "+":
            raise RowFault(
                f"the possessive quantifier {found[0]} is not supported: write {found[1]}"
            )
        least, most = int(found[2] or 0), int(found[4] or 0)
        if found[2] and not found[3]:
            most = least
        if found[4] and most < least:
            raise RowFault(f"the repetition {found[1]} ends before it begins")
        endless = found[1] in "*+" or (found[3] and not found[4])
        if piece.single:
            choices = SHORT_TEXT if endless else 2 if found[1] == "?" else most - least + 1
            ways = min(choices, SHORT_TEXT)
        else:
            ways = 1 + piece.ways if found[1] == "?" else ENDLESS
        return Piece(piece.text + found[0], ways)

    # -- atoms ------------------------------------------------------------------------------

    def _atom(self, flags: frozenset[str]) -> Piece:
        character = self._regex[self._at]
        if character == "(":
            self._plain = None
            return self._group(flags)
        if _QUANTIFIER.match(self._regex, self._at) or character in "?*+{":
            raise RowFault(f"the {character} of the regular expression has nothing to repeat")
        self._at += 1
        if character in "^$":
            self._plain = None
            return Piece(character)
        if character == ".":
            return self._any(flags)
        if character == "[":
            return self._one(self._set())
        if character == "\\":
            return self._escaped(flags)
        return self._literal(character, flags)

    def _any(self, flags: frozenset[str]) -> Piece:
        if "s" in flags:
            return self._one(~Characters())
        return self._one(~(UNIX_LINE_END if "d" in flags else LINE_ENDS))

    def _one(self, characters: Characters) -> Piece:
        """One character of a set. What has a Unicode property only RE2 can read."""
        self._plain = None
        self._only_re2 |= bool(characters.properties)
        return Piece(str(characters), single=True)

    def _literal(self, character: str, flags: frozenset[str]) -> Piece:
        if "\ud800" <= character <= "\udfff":
            raise RowFault("the regular expression has half a surrogate pair")
        if "i" in flags:
            self._plain = None
        elif self._plain is not None:
            self._plain.append(character)
        return Piece(literal(character), single=True)

    def _group(self, flags: frozenset[str]) -> Piece:
        found = _FLAGS.match(self._regex, self._at)
        if found:
            flags = self._changed(flags, found)
            opening = _opening(flags) if found[1] or found[2] else "(?:"
        else:
            opening = "("
            self._at += len(self._capturing())
        piece = self._alternatives(flags)
        if not self._takes(")"):
            raise RowFault("the regular expression has a ( without its )")
        return Piece(f"{opening}{piece.text})", piece.ways)

    def _capturing(self) -> str:
        named_group = _NAMED_GROUP.match(self._regex, self._at)
        if named_group:  # its name is not needed: groups are told by their number
            return named_group[0]
        for start, text in refusals.GROUPS.items():
            if self._regex.startswith(start, self._at):
                raise RowFault(text)
        if self._regex.startswith("(?", self._at):
            raise RowFault("the regular expression has a (? that means nothing")
        return "("

    def _escaped(self, flags: frozenset[str]) -> Piece:
        letter = self._regex[self._at : self._at + 1]
        if letter and letter in "bBAzZ":
            self._at += 1
            self._plain = None
            # RE2 knows the end of a text as \z only, Python as \Z, and an empty text has no \B
            # in Python: such are left to RE2.
            self._only_re2 |= letter in "zZB"
            if self._regex.startswith("{", self._at):
                raise RowFault(f"\\{letter}{{…}} is not supported: write \\{letter}")
            return Piece("\\" + letter.replace("Z", "z"))
        if letter == "R":
            self._at += 1
            self._plain = None
            return Piece(f"(?:\\r\\n|{SHORT['v']})", 2)
        found = self._escape()
        if isinstance(found, str):
            return self._literal(found, flags)
        return self._one(found)

    def _escape(self) -> str | Characters:
        """What an escape stands for, in and out of a set; `_at` is behind the backslash."""
        letter = self._regex[self._at : self._at + 1]
        if letter in refusals.ESCAPES:
            raise RowFault(refusals.ESCAPES[letter])
        code = _CODE.match(self._regex, self._at)
        if code:
            self._at = code.end()
            number = int(code[4], 8) if code[4] else int(code[1] or code[2] or code[3], 16)
            if number > 0x10FFFF:
                raise RowFault("the regular expression has a character beyond Unicode")
            return chr(number)
        prop = _PROPERTY.match(self._regex, self._at)
        if prop:
            self._at = prop.end()
            found = named(prop[1] or prop[2])
            return ~found if letter == "P" else found
        self._at += 1
        if letter.lower() in SHORT and letter:
            return SHORT[letter] if letter.islower() else ~SHORT[letter.lower()]
        if letter == "c" and "@" <= self._regex[self._at : self._at + 1] <= "_":
            self._at += 1
            return chr(ord(self._regex[self._at - 1]) ^ 64)
        if not letter or (letter.isascii() and letter.isalnum() and letter not in _CONTROLS):
            raise RowFault(f"\\{letter} of the regular expression means nothing")
        return _CONTROLS.get(letter, letter)

    # -- sets -------------------------------------------------------------------------------

    def _set(self) -> Characters:
        """`[…]`; `_at` is behind the bracket."""
        self._depth += 1
        if self._depth > MAX_GROUP_DEPTH:
            raise RowFault(f"sets nested deeper than {MAX_GROUP_DEPTH} levels")
        without = self._takes("^")
        try:
            found = self._members(first=True)
            while self._takes("&&"):
                found = found & self._members(first=False)
        except NotWorkedOut:
            raise RowFault(refusals.SETS) from None
        if not self._takes("]"):
            raise RowFault("the regular expression has a [ without its ]")
        self._depth -= 1
        return ~found if without else found

    def _members(self, first: bool) -> Characters:
        members: list[Characters] = []
        while self._at < len(self._regex) and not self._regex.startswith("&&", self._at):
            # A ] at the very start is itself, as in Java.
            if self._regex[self._at] == "]" and (members or not first):
                break
            if self._takes("["):
                members.append(self._set())
                continue
            start = self._member()
            if isinstance(start, str) and self._is_range():
                self._at += 1
                end = self._member()
                if isinstance(end, str) and end < start:
                    raise RowFault("the regular expression has a range that ends before it begins")
                members.append(of(start + end) if isinstance(end, str) else end)
            members.append(of(start) if isinstance(start, str) else start)
        return union(members)

    def _member(self) -> str | Characters:
        character = self._regex[self._at]
        self._at += 1
        return self._escape() if character == "\\" else character

    def _is_range(self) -> bool:
        """Is a - here, and something behind it that it can lead to?"""
        behind = self._regex[self._at + 1 : self._at + 2]
        return self._regex.startswith("-", self._at) and behind not in ("", "]", "[")

    # -- flags ------------------------------------------------------------------------------

    def _changed(self, flags: frozenset[str], found: re.Match[str]) -> frozenset[str]:
        """The flags behind `(?i-s)` or `(?i-s:`."""
        self._at = found.end()
        for letter in found[1]:
            if letter in refusals.FLAGS:
                raise RowFault(refusals.FLAGS[letter])
        if not set(found[1] + (found[2] or "")) <= set("idmsuxU"):
            raise RowFault(f"the flags {found[0]} mean nothing")
        self._only_re2 |= "u" in found[1]  # all scripts: what RE2 does with (?i) anyway
        return (flags | set(found[1])) - set(found[2] or "")

    def _takes(self, text: str) -> bool:
        if not self._regex.startswith(text, self._at):
            return False
        self._at += len(text)
        return True


def _opening(flags: frozenset[str]) -> str:
    """A group in which the flags are on, and the others off; . and \\d are told without flags."""
    on = "".join(letter for letter in "im" if letter in flags)
    off = "".join(letter for letter in "im" if letter not in flags)
    return f"(?{on}-{off}:" if off else f"(?{on}:"
