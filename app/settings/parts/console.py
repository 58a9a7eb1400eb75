"""The operators' console: where it listens, and who may log in."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field
from pydantic_settings import NoDecode

from app.settings.oidc import roles_in
from app.settings.parts.values import Port


class ConsoleSettings(BaseModel):
    """The console, who asks it over the API, and the OpenID provider it may trust."""

    console_host: str = Field("127.0.0.1", description="the address the console listens on")
    console_port: Port = Field(8070, description="the port the console listens on")
    console_url: str | None = Field(
        None,
        pattern=r"^https?://[^/?#\s]+/?$",
        description="how browsers reach the console, https://sluice.example.com: decides whether "
        "cookies are for https only, and which origin forms may come from",
    )
    console_idle_minutes: float = Field(
        30, gt=0, le=1440, description="minutes after which an unused console session ends"
    )
    console_session_hours: float = Field(
        12, gt=0, le=168, description="hours after which any console session ends"
    )
    api_token: str | None = Field(
        None,
        repr=False,
        description="a token of `sluice users token add`: with it, commands ask the console at "
        "SLUICE_CONSOLE_URL instead of Redis",
    )
    oidc_issuer: str | None = Field(
        None,
        pattern=r"^https?://[^/?#\s]+[^?#\s]*$",
        description="the OpenID provider that people may log in through, as its discovery document "
        "calls itself, https://login.example.com",
    )
    oidc_client_id: str | None = Field(
        None, min_length=1, description="as what the console is registered there"
    )
    oidc_client_secret: str | None = Field(
        None, repr=False, min_length=1, description="its secret there, if it has one"
    )
    oidc_scopes: str = Field(
        "openid profile email", pattern=r"^openid( \S+)*$", description="what is asked for there"
    )
    oidc_name_claim: str = Field(
        "email", min_length=1, description="the claim that becomes the user's name"
    )
    oidc_role_claim: str = Field(
        "groups", min_length=1, description="the claim that roles follow from; `a.b` is b in a"
    )
    oidc_roles: Annotated[tuple[tuple[str, str], ...], NoDecode, BeforeValidator(roles_in)] = Field(
        (), description="GROUP=ROLE; GROUP=ROLE: who is what; nobody else gets in"
    )
