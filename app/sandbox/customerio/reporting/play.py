"""What happens in a workspace when it is told to: so many events of these kinds, at that rate."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.core.published import Kind
from app.sandbox.customerio.appapi.names import event_name
from app.sandbox.customerio.events.fields import KINDS
from app.sandbox.customerio.events.mint import Mint, weights
from app.sandbox.customerio.reporting.happening import Happening, happening

# Others are served in between, so many events apart.
_BREATH: Final = 50
# Opens and clicks that may happen again.
_REPEATABLE: Final = 2_000


class Order(BaseModel):
    """`rate`: events a second of real time; none: at once. `families` (object types) and `events`
    (App API names) narrow what happens; `repeats`: that share of all are opens and clicks that
    happened before. The same `seed` makes the same events but for their times."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    count: int = Field(ge=1, le=100_000)
    rate: float | None = Field(None, gt=0.0)
    families: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    repeats: float = Field(0.1, ge=0.0, le=1.0)
    seed: int | None = None

    @model_validator(mode="after")
    def _something_is_left(self) -> Self:
        if not self.kinds():
            raise ValueError("no kind of event is of these families and events")
        return self

    def kinds(self) -> list[Kind]:
        return [
            kind
            for kind in KINDS
            if (not self.families or kind[0] in self.families)
            and (not self.events or event_name(*kind) in self.events)
        ]


@dataclass(slots=True)
class Play:
    """An order being carried out."""

    number: int
    order: Order
    happened: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def as_dict(self) -> dict[str, Any]:
        order = self.order.model_dump(exclude_defaults=True)
        return {
            "id": self.number,
            "order": order,
            "happened": self.happened,
            "over": self.over.is_set(),
        }

    async def run(self, clock: Callable[[], float], offer: Callable[[Happening], None]) -> None:
        """Make the events, each at its turn, and `offer` them. `clock`: Unix seconds."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        rate = self.order.rate
        try:
            for happened in happenings(self.order, clock):
                if rate is not None:
                    await asyncio.sleep(started + self.happened / rate - loop.time())
                elif self.happened % _BREATH == 0:
                    await asyncio.sleep(0)
                offer(happened)
                self.happened += 1
        finally:
            self.over.set()


def happenings(order: Order, clock: Callable[[], float]) -> Iterator[Happening]:
    """The events of `order`, each of the moment it is asked for."""
    rng = random.Random(order.seed)
    mint = Mint(rng)
    kinds = order.kinds()
    cumulative = weights(kinds)
    seen: list[tuple[Kind, dict[str, Any]]] = []
    for number in range(order.count):
        now_ms = int(clock() * 1000)
        if seen and rng.random() < order.repeats:
            kind, document = rng.choice(seen)
            yield happening(kind, mint.again(now_ms, document), first=False)
            continue
        kind = rng.choices(kinds, cum_weights=cumulative)[0]
        document = mint.document(now_ms, kind, odd=True)
        if kind[1] in ("opened", "clicked"):
            if len(seen) < _REPEATABLE:
                seen.append((kind, document))
            else:
                seen[number % _REPEATABLE] = (kind, document)
        yield happening(kind, document)
