"""The sandbox Platform, and Customer.io beside it, as one aiohttp application. Holds no state
outside it."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator, Callable
from itertools import count
from pathlib import Path
from typing import Final

from aiohttp import web

from app.sandbox.config import SandboxConfig
from app.sandbox.control import api
from app.sandbox.control.befall import Handler, Plain, under_faults
from app.sandbox.control.calls import Calls, logged
from app.sandbox.control.customerio import customerio_routes
from app.sandbox.control.faults import Faults
from app.sandbox.control.plane import plane_routes
from app.sandbox.control.received import Received
from app.sandbox.customerio.appapi.routes import app_api_routes
from app.sandbox.customerio.reporting.courier import Courier
from app.sandbox.customerio.state import CUSTOMERIO, CustomerIo
from app.sandbox.customerio.workspace import Workspaces
from app.sandbox.gateway.routes import gateway_routes
from app.sandbox.keeping import Keeper, keeping
from app.sandbox.lake.calendar import Calendar
from app.sandbox.lake.lake import Lake
from app.sandbox.lake.meters import Meters
from app.sandbox.plane.judge import Judge
from app.sandbox.plane.mint import Mint
from app.sandbox.plane.seeds import plant
from app.sandbox.plane.state import Plane
from app.sandbox.platform import collection
from app.sandbox.platform.ims import Ims, issue_token, token_counts
from app.sandbox.platform.inlets import Inlets
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
    state: Path | None = None,
) -> web.Application:
    """Both sandboxes. `clock`: Unix seconds; `chance`: draws shares of faults; `state`: a file in
    which the control plane is kept from one run to the next, None = in memory only."""
    app = web.Application(client_max_size=_READ_LIMIT)
    sandbox = _sandbox(config, clock, chance or random.Random())
    app[SANDBOX] = sandbox
    app[CUSTOMERIO] = _customerio(config, clock, sandbox.faults)
    plant(sandbox)
    app.add_routes(
        [
            web.post("/ims/token/v3", logged(under_faults("ims", issue_token))),
            *_collection_routes(config.sink),
            *gateway_routes(),
            *app_api_routes(),
            *customerio_routes(),
            web.get("/tokens", token_counts),
            *api.routes(),
            *plane_routes(),
        ]
    )
    app.cleanup_ctx.append(sandbox.later.background)
    app.cleanup_ctx.append(app[CUSTOMERIO].courier.background)
    if state is not None:
        _keep(app, Keeper(state, sandbox, app[CUSTOMERIO].workspaces))
    app.on_shutdown.append(_let_go)
    return app


def _keep(app: web.Application, keeper: Keeper) -> None:
    async def load(_app: web.Application) -> AsyncIterator[None]:
        keeper.load()
        yield

    app.cleanup_ctx.append(load)
    app.middlewares.append(keeping(keeper))


def _collection_routes(sink: bool) -> list[web.RouteDef]:
    one: Handler = collection.collect_one
    batch: Handler = collection.collect_batch
    metered: Callable[[Plain], Plain] = _metered
    if sink:
        swallow = Sink()
        one, batch = swallow.one, swallow.batch
        metered = _as_it_is
    return [
        web.post("/collection/batch/{inlet}", metered(under_faults("collection", batch))),
        web.post("/collection/{inlet}", metered(under_faults("collection", one))),
    ]


def _sandbox(config: SandboxConfig, clock: Callable[[], float], chance: random.Random) -> Sandbox:
    plane, mint = Plane(), Mint(chance)
    own = [inlet.id for inlet in config.inlets]
    judge = Judge(plane, Validator(config.schema), own, config.schema_cache_seconds)
    calendar = Calendar(config.hour_seconds, config.batch_minutes)
    lake = Lake(calendar, config.keep_batches, config.keep_failures)
    keep = config.keep_records
    return Sandbox(
        config=config,
        clock=clock,
        chance=chance,
        inlets=Inlets(),
        ims=Ims.of(config),
        limits=Limits(
            config.requests_per_second,
            config.messages_per_second,
            config.sync_validations_per_minute,
        ),
        faults=Faults(clock, chance),
        received=Received(config.keep_records),
        later=Later(judge, lake, config.validation_delay_s, keep, config.line_style, clock),
        lake=lake,
        meters=Meters(calendar, clock),
        transactions=count(1),
        calls=Calls(),
        mint=mint,
        plane=plane,
        judge=judge,
        sandbox_id=mint.uuid(),
    )


def _customerio(config: SandboxConfig, clock: Callable[[], float], faults: Faults) -> CustomerIo:
    courier = Courier(config.webhook_timeout_s, clock)
    return CustomerIo(clock, Workspaces(config, courier, clock), courier, faults)


def _metered(handler: Plain) -> Plain:
    """`handler`, with its answers counted as the inlet's successful or failed calls."""

    async def count_call(request: web.Request) -> web.StreamResponse:
        answer = await handler(request)
        sandbox = request.app[SANDBOX]
        inlet_id = request.match_info["inlet"]
        if inlet_id in sandbox.inlets:
            meter = sandbox.meters.of(inlet_id)
            if answer.status < 400:
                meter.success += 1
            else:
                meter.failure += 1
        return answer

    return count_call


def _as_it_is(handler: Plain) -> Plain:
    return handler


async def _let_go(app: web.Application) -> None:
    """Requests that hang, or wait for webhooks, must not hold up the end."""
    app[SANDBOX].faults.remove()
    app[CUSTOMERIO].courier.stop()
