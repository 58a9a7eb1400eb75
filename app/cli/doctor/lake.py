"""What Platform says later: whether it can be asked what landed, as the workers found."""

from __future__ import annotations

from app.cli.doctor.finding import NotAsked, Said, failed, ok, warning
from app.cli.doctor.ground import Ground
from app.core.moments import moment
from app.settings import Connection
from app.store.standing import told


async def landed(ground: Ground, connection: Connection) -> list[Said]:
    """The verdict over all hours, and what troubles the asking."""
    name = connection.name
    each = (await told(ground.redis, [name], {name: connection}))[name]
    remarks = [remark.removeprefix(f"{name}: ") for remark in each.remarks]
    if not (connection.reconciles and each.standing.looked):
        raise NotAsked(remarks[0])
    fix = f"sluice ledger --connection {name} --hours"
    found = [failed(alarm, fix) for alarm in each.alarms]
    found += [warning(remark, "see `What Platform says later` in the README") for remark in remarks]
    seen = f"Platform was asked what landed, last at {moment(each.standing.seen_ms)} UTC"
    verdict = each.verdict
    return found or [ok(f"{seen}: {verdict.words}" if verdict else seen)]
