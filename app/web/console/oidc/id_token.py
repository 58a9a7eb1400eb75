"""Whether an ID token is the provider's, for us, of now and of this log-in (OpenID Connect Core
1.0, section 3.1.3.7)."""

from __future__ import annotations

from typing import Any, Final

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from app.web.console.oidc.config import OidcConfig, OidcRefused

# Signed by the provider alone: no `none`, and nothing whose key we would share with it, or that
# could be verified with a public key taken for a shared one.
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384",
                     "ES512", "EdDSA", "Ed25519")  # fmt: skip
# Clocks differ.
_LEEWAY_SECONDS: Final = 60
_LONGEST: Final = 65_536


class UnknownKey(OidcRefused):
    """It was signed with a key that is not among those known: they may have been renewed."""


def claims_of(
    token: str, keys: KeySet, config: OidcConfig, nonce: str, now: float
) -> dict[str, Any]:
    """The claims. `now`: Unix seconds. Raises OidcRefused."""
    claims = _verified(token, keys)
    if claims.get("iss") != config.issuer:
        raise OidcRefused("the token is of another issuer")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if config.client_id not in audiences:
        raise OidcRefused("the token is for another audience")
    party = claims.get("azp")
    if party != config.client_id and (party is not None or len(audiences) > 1):
        raise OidcRefused("the token was made for another party")
    ends, made = _number(claims, "exp"), _number(claims, "iat")
    if ends + _LEEWAY_SECONDS <= now:
        raise OidcRefused("the token is over")
    if made - _LEEWAY_SECONDS > now or _number(claims, "nbf", made) - _LEEWAY_SECONDS > now:
        raise OidcRefused("the token is of the future: one of the two clocks is wrong")
    if claims.get("nonce") != nonce:
        raise OidcRefused("the token is of another log-in")
    if not isinstance(claims.get("sub"), str) or not claims["sub"]:
        raise OidcRefused("the token says of nobody")
    return claims


def _verified(token: str, keys: KeySet) -> dict[str, Any]:
    if len(token) > _LONGEST:
        raise OidcRefused("the token is too long")
    try:
        return dict(jwt.decode(token, keys, algorithms=ALGORITHMS).claims)
    except InvalidKeyIdError:
        raise UnknownKey("the token is signed with a key that the provider does not show") from None
    except (JoseError, ValueError, TypeError) as fault:
        # Not its text: it may quote the token.
        raise OidcRefused(f"the token's signature is not right ({type(fault).__name__})") from None


def _number(claims: dict[str, Any], name: str, default: float | None = None) -> float:
    found = claims.get(name, default)
    if type(found) not in (int, float):
        raise OidcRefused(f"the token has no {name}")
    return float(found or 0)
