"""The credentials: is there a token for them, and may it look at Platform?"""

from __future__ import annotations

from typing import Final, NamedTuple

from app.adobe.ims import Credential, Token, TokenClient
from app.adobe.platform_client import Account, PlatformClient
from app.adobe.schema_registry import SchemaRegistry
from app.cli.doctor.finding import NotAsked, Said, failed, ok, warning
from app.cli.doctor.ground import Ground
from app.core.errors import (
    CredentialsRefused,
    PlatformFault,
    PlatformRefused,
    TokenUnavailable,
)
from app.core.moments import span_text
from app.settings import Connection

_SOON_SECONDS: Final = 300.0


class _Held(NamedTuple):
    """The one token of this round (app.adobe.platform_client.Tokens)."""

    value: str

    async def token(self) -> str:
        return self.value

    async def renew(self, refused: str) -> str:
        """Another one would fare no better: this one is seconds old."""
        return refused


async def token(ground: Ground, connection: Connection) -> list[Said]:
    """Whether IMS gives one. Raises CredentialsRefused or TokenUnavailable, which say why not."""
    client = _client(ground, connection)
    given = await ground.once(("token", connection.name), client.fetch)
    left = given.expires - ground.clock()
    said = f"IMS gives a token, good for {span_text(left)}"
    if left < _SOON_SECONDS:
        return [warning(said, "is this machine's clock right?")]
    return [ok(said)]


async def role(ground: Ground, connection: Connection) -> list[Said]:
    """Whether the token may look at this sandbox: the test call of platform.md section 3."""
    client = await _with_token(ground, connection)
    try:
        await _access(ground, connection, client)
    except PlatformRefused as fault:
        text = (
            f"the token is good, and Platform refuses it in {client.account.sandbox_name}: {fault}"
        )
        fix = (
            "add the credential to a role with this sandbox (Platform, Permissions, Roles, API "
            "credentials), and see that platform.org_id and sandbox_name are right"
        )
        return [failed(text, fix)]
    return [ok(f"the credential may look at the sandbox {client.account.sandbox_name}")]


async def platform_of(ground: Ground, connection: Connection) -> PlatformClient:
    """A client that is known to be let in. Raises NotAsked when it is not: why, the checks of this
    file say."""
    client = await _with_token(ground, connection)
    try:
        await _access(ground, connection, client)
    except PlatformFault:
        raise NotAsked("Platform does not let us look, see `role`") from None
    return client


async def token_of(ground: Ground, connection: Connection) -> Token:
    """A token to be sent along. Raises NotAsked when there is none."""
    tokens = _client(ground, connection)
    try:
        return await ground.once(("token", connection.name), tokens.fetch)
    except (CredentialsRefused, TokenUnavailable):
        raise NotAsked("there is no token, see `token`") from None


async def _with_token(ground: Ground, connection: Connection) -> PlatformClient:
    held = _Held((await token_of(ground, connection)).value)
    return await ground.once(("client", connection.name), lambda: _made(ground, connection, held))


async def _access(ground: Ground, connection: Connection, client: PlatformClient) -> None:
    await ground.once(("role", connection.name), SchemaRegistry(client).check_access)


async def _made(ground: Ground, connection: Connection, held: _Held) -> PlatformClient:
    platform, given = connection.platform, connection.platform.credentials
    assert given is not None  # else there is no token
    account = Account(platform.api_url, given.client_id, platform.org_id, platform.sandbox_name)
    return PlatformClient(ground.session, account, held, requests_per_second=ground.pace)


def _client(ground: Ground, connection: Connection) -> TokenClient:
    """Raises NotAsked without credentials."""
    given = connection.platform.credentials
    if given is None:
        raise NotAsked("no credentials: platform.credentials lets Platform be asked")
    secrets = tuple(secret.decode() for secret in given.client_secrets)
    credential = Credential(given.client_id, secrets, given.scopes, given.ims_url)
    return TokenClient(ground.session, credential)
