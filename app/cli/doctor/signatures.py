"""Signatures that the receivers refused: Customer.io's stream stands still after one of its own."""

from __future__ import annotations

from typing import Final

from app.cli.doctor.finding import Said, failed, ok, warning
from app.cli.doctor.ground import Ground
from app.core.moments import span_text
from app.core.signature import fingerprint
from app.settings import Connection
from app.store.signatures import SignatureRecord, Signatures

_DAY_SECONDS: Final = 86_400.0


async def refused(ground: Ground, connection: Connection) -> list[Said]:
    """Webhooks of the last day that no key of ours had signed. An hour is too short to look at:
    Customer.io comes again an hour after a refusal, and later each time (customerio.md section
    9)."""
    now = ground.clock()
    seen = await Signatures(ground.redis, connection.name).read(now)
    if not seen.refused_at or now - seen.refused_at > _DAY_SECONDS:
        return [ok(f"none was refused in the last day{_last(seen, now)}{_older(seen, connection)}")]
    ago = span_text(max(0.0, now - seen.refused_at))
    count = f"{seen.refused:,} webhook(s) refused in the last day for their signature"
    text = f"{count}, the last {ago}"
    if seen.refused_at >= seen.believed_at:
        text += " ago, and none was right since: Customer.io's stream stands still"
        return [failed(text, _fix(ground, connection))]
    fix = "has Customer.io a second webhook to this address? Each has a key of its own"
    return [warning(f"{text} ago, though others are right", f"{fix}: {_fix(ground, connection)}")]


def _fix(ground: Ground, connection: Connection) -> str:
    name = connection.name
    copied = "copy the signing key from the reporting webhook's page in Customer.io"
    if name in ground.configured.setups:
        copied += f", then: sluice connection apply {name} --signing-key-file FILE"
    else:
        copied += " into a file that signing_keys names"
    return f"{copied}. Send Test there shows whether it is right"


def _last(seen: SignatureRecord, now: float) -> str:
    if not seen.believed_at:
        return "; no event of Customer.io's has come yet"
    return f"; the last right one came {span_text(max(0.0, now - seen.believed_at))} ago"


def _older(seen: SignatureRecord, connection: Connection) -> str:
    """Whether keys are live that are needed no more."""
    newest, *older = connection.signing_keys
    if not older or fingerprint(newest) not in seen.believed:
        return ""
    return "; it signs with the newest key, so the next apply takes the older away"
