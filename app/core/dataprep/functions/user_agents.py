"""User agent functions (platform.md section 4.3), on ua-parser.

Adobe's examples are Yauaa's words, another library's: "Safari" where ua-parser says "Mobile
Safari", and device classes, which ua-parser has none of. The browsers that ua-parser names twice,
for desktops and for phones, get their one name here; the class is told by rules of ours, in
device_classes.py, by the names of the function page. Versions and other names are ua-parser's.

Null semantics, judgement: null and "" give null, and so does a name or version that cannot be told
(Yauaa has "Unknown" and "??" there, which look like data); only the class has a documented
"Unknown". Read are the first 1,024 characters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from app.core.dataprep.functions.device_classes import device_class
from app.core.dataprep.values import Value, as_text

if TYPE_CHECKING:
    from ua_parser.regex import Resolver

# Longer ones exist, but what matters stands in front; the cache is bounded by this too.
MAX_AGENT: Final = 1024

_FOR_PHONES: Final = re.compile(r"^Mobile | Mobile\b| iOS$")
_NAMES: Final = {
    "IE": "Internet Explorer",
    "Chrome Mobile WebView": "Chrome Webview",
    "Mobile Safari UI/WKWebView": "Safari",
}


class _Agent(NamedTuple):
    name: str | None
    version: str | None
    os_name: str | None
    os_version: str | None
    device: str


@lru_cache(maxsize=1)
def _resolver() -> Resolver:
    """Its expressions take 0.3 s to read: only when they are wanted."""
    # The engine in Rust, in linear time; ua-parser's own fallback is Python's `re`.
    from ua_parser.loaders import load_builtins
    from ua_parser.regex import Resolver

    return Resolver(load_builtins())


def prepare() -> None:
    """Reads ua-parser's expressions now, so that no event has to wait for them."""
    _resolver()


@lru_cache(maxsize=2048)
def _read(text: str) -> _Agent:
    from ua_parser.core import Domain

    found = _resolver()(text, Domain.ALL)
    agent, system, device = found.user_agent, found.os, found.device
    return _Agent(
        _NAMES.get(agent.family, _FOR_PHONES.sub("", agent.family)) if agent else None,
        _version(agent.major, agent.minor, agent.patch) if agent else None,
        system.family if system else None,
        _version(system.major, system.minor, system.patch) if system else None,
        device_class(text, device.family if device else ""),
    )


def _version(*parts: str | None) -> str | None:
    known = []
    for part in parts:
        if not part:
            break
        known.append(part)
    return ".".join(known) or None


def _agent(text: Value) -> _Agent | None:
    if text is None or text == "":
        return None
    return _read(as_text(text)[:MAX_AGENT].encode("utf-8", "replace").decode())


def ua_os_name(user_agent: Value) -> str | None:
    """`iOS`."""
    found = _agent(user_agent)
    return found and found.os_name


def ua_os_version(user_agent: Value) -> str | None:
    """`5.1.1`."""
    found = _agent(user_agent)
    return found and found.os_version


def ua_os_version_major(user_agent: Value) -> str | None:
    """`iOS 5`: with the name, as the page's example has it."""
    found = _agent(user_agent)
    return found and _together(found.os_name, found.os_version and found.os_version.split(".")[0])


def ua_os_name_version(user_agent: Value) -> str | None:
    """`iOS 5.1.1`."""
    found = _agent(user_agent)
    return found and _together(found.os_name, found.os_version)


def ua_agent_name(user_agent: Value) -> str | None:
    """`Safari`."""
    found = _agent(user_agent)
    return found and found.name


def ua_agent_version(user_agent: Value) -> str | None:
    """`5.1`."""
    found = _agent(user_agent)
    return found and found.version


def ua_agent_version_major(user_agent: Value) -> str | None:
    """`Safari 5`: with the name (documented)."""
    found = _agent(user_agent)
    return found and _together(found.name, found.version and found.version.split(".")[0])


def ua_device_class(user_agent: Value) -> str | None:
    """`Phone`, `Tablet`, `Desktop`, … of the page's list; `Unknown` for what tells nothing."""
    found = _agent(user_agent)
    return found and found.device


def _together(name: str | None, version: str | None) -> str | None:
    return f"{name} {version}" if name and version else None


FUNCTIONS: Final[Mapping[str, Callable[..., Value]]] = {
    "ua_os_name": ua_os_name,
    "ua_os_version": ua_os_version,
    "ua_os_version_major": ua_os_version_major,
    "ua_os_name_version": ua_os_name_version,
    "ua_agent_name": ua_agent_name,
    "ua_agent_version": ua_agent_version,
    "ua_agent_version_major": ua_agent_version_major,
    "ua_device_class": ua_device_class,
}
