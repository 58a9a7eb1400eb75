"""Answers looked at while whoever gave them is still there: each a complaint, or "".

Nothing is raised for what the network or a vendor says: that is a complaint, with what to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp

from app.adobe.flow_service import FlowService, specs
from app.adobe.ims import DEFAULT_TOKEN_URL, Credential, TokenClient
from app.adobe.own_token import OwnToken
from app.adobe.platform_client import Account, PlatformClient
from app.adobe.schema_registry import SchemaRegistry
from app.connect.ends import secret_text
from app.core.errors import SluiceError
from app.customerio.app_api import EU_URL, US_URL, AppApi, Workspace
from app.customerio.webhooks import Webhooks
from app.settings.folders import Folders, Kind
from app.settings.secrets import read_secret

_PLATFORM: Final = "https://platform.adobe.io"
_TIMEOUT: Final = aiohttp.ClientTimeout(total=8)

Answers = Mapping[str, str]


@dataclass(slots=True)
class Checks:
    """What the checks need. `environ`: for `env:NAME`."""

    session: aiohttp.ClientSession
    folders: Folders
    environ: Mapping[str, str]
    _tokens: dict[tuple[str, str], OwnToken] = field(default_factory=dict)

    def secret(self, answer: str) -> str:
        """The text that an answer stands for. Raises SluiceError."""
        kind, _, rest = answer.partition(":")
        if kind == "env":
            if value := self.environ.get(rest, ""):
                return value
            raise SluiceError(f"the environment variable {rest} is not set")
        if kind == "file":
            try:
                return secret_text(read_secret(Path(rest)), rest)
            except (OSError, ValueError):
                raise SluiceError(f"{rest} cannot be read") from None
        return answer

    def tokens(self, answers: Answers, secret: str) -> OwnToken:
        """The credential's token, kept for the checks to come."""
        client_id = answers["platform.credentials.client_id"]
        url = answers.get("platform.credentials.ims_url", DEFAULT_TOKEN_URL)
        known = (client_id, secret)
        if known not in self._tokens:
            credential = Credential(client_id, (secret,), token_url=url)
            self._tokens[known] = OwnToken(TokenClient(self.session, credential))
        return self._tokens[known]

    def platform(self, answers: Answers) -> PlatformClient:
        """A client of the answers so far."""
        secret = self.secret(answers["platform.credentials.client_secret"])
        account = Account(
            answers.get("platform.api_url", _PLATFORM),
            answers["platform.credentials.client_id"],
            answers["platform.org_id"],
            answers["platform.sandbox_name"],
        )
        return PlatformClient(self.session, account, self.tokens(answers, secret))


async def name_free(answer: str, _answers: Answers, checks: Checks) -> str:
    """Neither a setup nor a connection has it."""
    kinds: tuple[Kind, ...] = ("setups", "connections")
    for kind in kinds:
        path = checks.folders.file(kind, answer)
        if path.exists():
            return f"{path} is there already: choose another name, or edit it and apply it"
    return ""


async def token(answer: str, answers: Answers, checks: Checks) -> str:
    """IMS gives a token for it."""
    try:
        await checks.tokens(answers, checks.secret(answer)).token()
    except SluiceError as fault:
        return str(fault)
    return ""


async def role(answer: str, answers: Answers, checks: Checks) -> str:
    """The credential may use the sandbox: the test call of platform.md section 3."""
    try:
        registry = SchemaRegistry(checks.platform({**answers, "platform.sandbox_name": answer}))
        await registry.check_access()
    except SluiceError as fault:
        return str(fault)
    return ""


async def source_offered(answer: str, answers: Answers, checks: Checks) -> str:
    """Customer.io's source is a beta: not every organization has it."""
    if answer != "customerio":
        return ""
    try:
        found = await FlowService(checks.platform(answers)).connection_spec(specs.CUSTOMERIO)
    except SluiceError as fault:
        return str(fault)
    if found is None:
        return "Platform does not offer this source to the organization: take `sluice`"
    return ""


async def app_api_key(answer: str, answers: Answers, checks: Checks) -> str:
    """The key is good, and of this region."""
    region = EU_URL if answers.get("customerio.region") == "eu" else US_URL
    url = answers.get("customerio.api_url", region)
    try:
        key = checks.secret(answer)
        await Webhooks(AppApi(checks.session, Workspace(url, key))).check_key()
    except SluiceError as fault:
        return str(fault)
    return ""


async def reachable(answer: str, _answers: Answers, checks: Checks) -> str:
    """Somebody answers there; whether it is the receiver shows the test event later."""
    try:
        async with checks.session.get(
            f"{answer.rstrip('/')}/webhooks/", allow_redirects=False, timeout=_TIMEOUT
        ):
            return ""
    except (aiohttp.ClientError, TimeoutError, OSError) as fault:
        return f"nobody answers there ({type(fault).__name__}): start the receiver, open its port"
