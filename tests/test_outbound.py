"""Where Sluice connects to is for the configuration to say: no redirects, no proxies of the
environment, no cookies of one answer for the next request. A rule on the source, for clients yet
to be written; `worker/test_hostile_platform.py` and `adobe/` show the behaviour.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
METHODS = {"request", "get", "post", "put", "patch", "delete", "head", "options", "ws_connect"}


def calls() -> Iterator[tuple[str, ast.Call]]:
    """(file:line, call) of everything that goes out of the services and their commands."""
    for path in sorted([*ROOT.glob("app/**/*.py"), *ROOT.glob("worker/**/*.py")]):
        name = path.relative_to(ROOT).as_posix()
        source = path.read_text()
        if "aiohttp" not in source or name.startswith("app/sandbox/"):
            continue
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call):
                yield f"{name}:{node.lineno}", node


def keywords(call: ast.Call) -> dict[str, str]:
    return {word.arg: ast.unparse(word.value) for word in call.keywords if word.arg}


def is_request(call: ast.Call) -> bool:
    """Whether it is a method of a session, as sessions are called here."""
    function = call.func
    if not isinstance(function, ast.Attribute) or function.attr not in METHODS:
        return False
    owner = ast.unparse(function.value)
    return owner.endswith(("session", "_open()", "ClientSession()"))


def test_no_request_follows_a_redirect() -> None:
    requests = [(where, call) for where, call in calls() if is_request(call)]

    assert len(requests) >= 2  # the rule still finds what it is about
    for where, call in requests:
        assert keywords(call).get("allow_redirects") == "False", where


def test_no_session_believes_the_environment_or_keeps_cookies() -> None:
    sessions = [
        (where, keywords(call))
        for where, call in calls()
        if ast.unparse(call.func) == "aiohttp.ClientSession"
    ]

    assert len(sessions) >= 2
    for where, given in sessions:
        assert "trust_env" not in given, where
        assert given.get("cookie_jar") == "aiohttp.DummyCookieJar()", where
