"""The sandbox Platform as one aiohttp application. Holds no state outside it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from itertools import count
from typing import Final

from aiohttp import web

from app.sandbox.config import SandboxConfig
from app.sandbox.control import api
from app.sandbox.control.befall import Handler, under_faults
from app.sandbox.control.faults import Faults
from app.sandbox.control.received import Received
from app.sandbox.platform import collection
from app.sandbox.platform.ims import Ims, issue_token, token_counts
from app.sandbox.platform.later import Later
from app.sandbox.platform.limits import Limits
from app.sandbox.platform.sink import Sink
from app.sandbox.platform.validation import Validator
from app.sandbox.state import SANDBOX, Sandbox

# A body over the limit is still read, within reason: who is cut off while sending sees no 413.
_READ_LIMIT: Final = 16 * 1_048_576


def make_app(
    config: SandboxConfig,
    clock: Callable[[], float] = time.time,
    chance: random.Random | None = None,
) -> web.Application:
    """A sandbox Platform. `clock`: Unix seconds; `chance`: draws shares of faults."""
    app = web.Application(client_max_size=_READ_LIMIT)
    sandbox = _sandbox(config, clock, chance or random.Random())
    app[SANDBOX] = sandbox
    one: Handler = collection.collect_one
    batch: Handler = collection.collect_batch
    if config.sink:
        swallow = Sink()
        one, batch = swallow.one, swallow.batch
    app.add_routes(
        [
            web.post("/ims/token/v3", under_faults("ims", issue_token)),
            web.post("/collection/batch/{inlet}", under_faults("collection", batch)),
            web.post("/collection/{inlet}", under_faults("collection", one)),
            web.get("/tokens", token_counts),
            *api.routes(),
        ]
    )
    app.cleanup_ctx.append(sandbox.later.background)
    app.on_shutdown.append(_let_go)
    return app


def _sandbox(config: SandboxConfig, clock: Callable[[], float], chance: random.Random) -> Sandbox:
    validator = Validator(config.schema)
    return Sandbox(
        config=config,
        clock=clock,
        chance=chance,
        inlets={inlet.id: inlet for inlet in config.inlets},
        ims=Ims.of(config),
        limits=Limits(
            config.requests_per_second,
            config.messages_per_second,
            config.sync_validations_per_minute,
        ),
        faults=Faults(clock, chance),
        received=Received(config.keep_records),
        later=Later(validator, config.validation_delay_s, config.keep_records, clock),
        transactions=count(1),
    )


async def _let_go(app: web.Application) -> None:
    """Requests that hang must not hold up the end."""
    app[SANDBOX].faults.remove()
