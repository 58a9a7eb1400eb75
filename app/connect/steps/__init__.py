"""What there is to set up, one class for each kind of object, in the order in which it is made.

namespaces, registry, dataset   Platform: what the events are, and where they lie
connections, mapping, flow      Platform: their way there, and the inlet
webhook                         Customer.io
local, old_flow, ending         this machine, and the end: a test event, what was replaced is
                                disabled, and the lane opens
"""

from __future__ import annotations

from app.connect.run import Run, Step
from app.connect.steps.connections import Base, Source, Target
from app.connect.steps.dataset import Dataset, Profile, RowExpiry
from app.connect.steps.ending import Opening, TestCounted, TestEvent
from app.connect.steps.flow import Flow
from app.connect.steps.inlet import Inlet
from app.connect.steps.local import ConnectionFile, SigningKey
from app.connect.steps.mapping import MappingSet
from app.connect.steps.namespaces import Namespaces
from app.connect.steps.old_flow import OldFlow
from app.connect.steps.registry import Descriptors, FieldGroup, Schema, Tenant
from app.connect.steps.webhook import Webhook, WebhookOn
from app.core.errors import ConfigError

__all__ = ["steps_of"]


def steps_of(run: Run) -> list[Step]:
    """The steps of a run, in order. Raises ConfigError when a tutorial does not fit the setup."""
    own: list[Step] = _tutorial(run) if run.tutorial else _ours(run)
    last: list[Step] = [
        Webhook(), SigningKey(), ConnectionFile(), TestEvent(), WebhookOn(), OldFlow(),
        Opening(), TestCounted(),
    ]  # fmt: skip
    return [*own, *last]


def _ours(run: Run) -> list[Step]:
    """The inlet comes last, so that there is none into which nothing could go."""
    first: list[Step] = [
        Tenant(), Namespaces(), FieldGroup(), Schema(), Descriptors(),
        Dataset(), Profile(), RowExpiry(),
    ]  # fmt: skip
    base: list[Step] = [Base()] if run.setup.platform.source.kind == "http_api" else []
    return [*first, *base, Source(), Target(), MappingSet(), Flow(), Inlet()]


def _tutorial(run: Run) -> list[Step]:
    """platform.md section 1: the API page begins with the source, the other with a schema that is
    there."""
    if run.setup.platform.source.kind != "customerio":
        raise ConfigError(
            ["platform.source.kind: Adobe's tutorials need `customerio`, not `http_api`"]
        )
    schema: list[Step] = [FieldGroup(), Schema()]
    source: list[Step] = [Source()]
    first = [*schema, *source] if run.tutorial == "ui" else [*source, *schema]
    return [Tenant(), *first, Dataset(), Target(), MappingSet(), Flow(), Inlet()]
