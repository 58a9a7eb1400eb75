"""What a new setup needs, as questions: for a terminal, and for pages.

A question says where its answer is found, and looks at the answer at once, as far as the answers
before it allow. Nothing here asks anybody: whoever does goes through `QUESTIONS` in order, calls
`complaint` for each answer, and at the end `setup_document`.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.connect import checks
from app.connect.checks import Checks
from app.settings.connections import NAME_PATTERN
from app.settings.setups import FAMILIES

# Key of the question -> the answer as it was typed.
Answers = Mapping[str, str]
Check = Callable[[str, Answers, Checks], Awaitable[str]]

_YES: Final = ("yes", "no")


async def _fine(_answer: str, _answers: Answers, _checks: Checks) -> str:
    return ""


def _any(_answer: str) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Question:
    """`key`: its place in the setup; `where`: where the answer is found; `default`: "" = one is
    needed; `secret`: neither shown nor kept in the setup: a text, or `env:NAME`, or `file:PATH`;
    `pattern`: what the answer has to look like, in words after it; `rule`: a complaint that needs
    nobody else; `check`: one that asks, and `needs`: the keys of the answers that it goes by."""

    key: str
    text: str
    where: str = ""
    default: str = ""
    secret: bool = False
    choices: tuple[str, ...] = ()
    pattern: str = ""
    wording: str = ""
    rule: Callable[[str], str] = _any
    check: Check = _fine
    needs: tuple[str, ...] = ()

    def may_be_checked(self, answers: Answers) -> bool:
        """Whether all is answered that the check goes by."""
        return all(key in answers for key in self.needs)

    def shape(self, answer: str) -> str:
        """What is wrong with an answer by itself; "" when nothing is."""
        if not answer.strip():
            return "an answer is needed"
        if self.choices and answer not in self.choices:
            return f"it is one of: {', '.join(self.choices)}"
        if self.pattern and not re.fullmatch(self.pattern, answer):
            return f"wanted {self.wording}"
        return self.rule(answer)

    async def complaint(self, answer: str, answers: Answers, checks: Checks) -> str:
        """What is wrong with an answer, and what to do; "" when nothing is. Raises nothing of the
        network's: that is a complaint, too."""
        return self.shape(answer) or await self.check(answer, answers, checks)


def _families(answer: str) -> str:
    unknown = [each for each in listed(answer) if each not in FAMILIES]
    return f"unknown: {', '.join(unknown)}; there are: {', '.join(FAMILIES)}" if unknown else ""


def listed(answer: str) -> list[str]:
    """The parts of a comma-separated answer."""
    return [part.strip() for part in answer.split(",") if part.strip()]


_CONSOLE: Final = "Adobe Developer Console > your project > OAuth Server-to-Server"

_ACCOUNT: Final = (
    "platform.credentials.client_id", "platform.credentials.client_secret", "platform.org_id",
)  # fmt: skip

QUESTIONS: Final[tuple[Question, ...]] = (
    Question(
        "name",
        "A short name for the connection",
        "It becomes part of the webhook's address: /webhooks/NAME.",
        pattern=NAME_PATTERN.strip("^$"),
        wording="a-z, 0-9 and -, at most 40",
        check=checks.name_free,
    ),
    Question(
        "platform.credentials.client_id",
        "Client id",
        f"{_CONSOLE} > Client ID. The project needs the Experience Platform API.",
        pattern=r"\S+",
        wording="a text without spaces",
    ),
    Question(
        "platform.credentials.client_secret",
        "Client secret",
        f"{_CONSOLE} > Retrieve client secret. Or env:NAME, or file:PATH.",
        secret=True,
        check=checks.token,
        needs=("platform.credentials.client_id",),
    ),
    Question(
        "platform.org_id",
        "Organization id",
        f"{_CONSOLE} > Organization ID; it ends in @AdobeOrg.",
        pattern=r"\S+@AdobeOrg",
        wording="an id that ends in @AdobeOrg",
    ),
    Question(
        "platform.sandbox_name",
        "Platform's sandbox",
        "Platform > Sandboxes; its name, all lower case. The credential must be in a role "
        "(Permissions > Roles > API credentials) that may use it.",
        default="prod",
        pattern=r"[a-z0-9-]+",
        wording="lower-case letters, digits and -",
        check=checks.role,
        needs=_ACCOUNT,
    ),
    Question(
        "platform.source",
        "Who maps events to XDM",
        "sluice: here, checked before it is sent (advised). platform: the dataflow does, HTTP API "
        "source. customerio: the dataflow does, Adobe's own Customer.io source (beta, open inlet).",
        default="sluice",
        choices=("sluice", "platform", "customerio"),
        check=checks.source_offered,
        needs=(*_ACCOUNT, "platform.sandbox_name"),
    ),
    Question(
        "platform.dataset.name",
        "Name of the dataset",
        "It is made if it is not there.",
        default="Customer.io events",
    ),
    Question(
        "platform.dataset.profile",
        "Should events go to Real-Time Customer Profile, too",
        "It cannot be undone here, and counts against your licence.",
        default="no",
        choices=_YES,
    ),
    Question(
        "customerio.region",
        "Customer.io's region",
        "Customer.io > Account Settings > Privacy & Data: United States or European Union.",
        default="us",
        choices=("us", "eu"),
    ),
    Question(
        "customerio.api_key",
        "App API key",
        "Customer.io > Account Settings > API Credentials > App API Keys, of the workspace that "
        "sends the events. Or env:NAME, or file:PATH.",
        secret=True,
        check=checks.app_api_key,
        needs=("customerio.region",),
    ),
    Question(
        "customerio.public_url",
        "How Customer.io reaches the receiver",
        "The public address of `sluice serve-receiver`, https://hooks.example.com.",
        pattern=r"https?://[^/?#\s]+(/[^?#\s]*)?",
        wording="an address such as https://hooks.example.com",
        check=checks.reachable,
    ),
    Question(
        "customerio.families",
        "Which events",
        f"Comma-separated, of: {', '.join(FAMILIES)}.",
        default=", ".join(FAMILIES),
        rule=_families,
    ),
)

_SOURCES: Final[Mapping[str, dict[str, Any]]] = {
    "sluice": {"kind": "http_api", "data_type": "xdm"},
    "platform": {"kind": "http_api", "data_type": "raw"},
    "customerio": {"kind": "customerio"},
}


def setup_document(answers: Answers, secret: Callable[[str, str], Any]) -> dict[str, Any]:
    """The setup's keys and values. `secret`: (key, answer) -> how the setup refers to it.

    Answers without a question of their own (`platform.api_url`) are taken as they are.
    """
    document: dict[str, Any] = {}
    for key, answer in answers.items():
        value: Any = answer
        match key:
            case "platform.credentials.client_secret":
                key, value = "platform.credentials.client_secrets", [secret(key, answer)]
            case "customerio.api_key":
                value = secret(key, answer)
            case "platform.source":
                value = dict(_SOURCES[answer])
            case "platform.dataset.profile":
                value = answer == "yes"
            case "customerio.families":
                value = listed(answer)
            case "platform.settle_seconds":
                value = _number(answer)
        _put(document, key.split("."), value)
    return document


def _number(answer: str) -> float | str:
    try:
        return float(answer)
    except ValueError:
        # The setup says what is wrong with it.
        return answer


def _put(document: dict[str, Any], keys: list[str], value: Any) -> None:
    for key in keys[:-1]:
        document = document.setdefault(key, {})
    document[keys[-1]] = value
