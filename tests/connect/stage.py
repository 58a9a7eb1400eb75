"""Both vendors' sandboxes, a receiver's front door and a clock, for an engine that is to be tried.

The sandboxes are the real ones, over HTTP; the clock is theirs and ours, so that five minutes take
no time. The front door checks the signature as the receiver does, and counts tests as a worker.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from aiohttp import web

from app.connect.ends import ends_of
from app.connect.plan import Plan
from app.connect.run import Progress
from app.connect.wiring import Wiring, places_of
from app.core.signature import matching_key
from app.sandbox.defaults import APP_KEY, IMS_CLIENT_SECRET, SIGNING_KEY, WORKSPACE, default_config
from app.sandbox.server import make_app
from app.sandbox.state import SANDBOX, Sandbox
from app.settings import Settings
from app.settings.folders import Folders
from app.settings.load_setups import load_setup
from app.settings.setups import Setup
from tests.connect.surroundings import config_folder, put, setup_keys, tiny_documents, write_keys

ENVIRON = {"CIO_KEY": APP_KEY, "CLIENT_SECRET": IMS_CLIENT_SECRET}
# They only look.
LOOKS = ("/validate", "/preview")


class Killed(BaseException):
    """The process is gone: nothing after the point where this is raised happens."""


class FrontLane:
    """The lane as steps see it; what became of it, in order. `until`: of the hold, None = without
    an end; `busy`: what is under way, look by look."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.history: list[tuple[str, float | None]] = []
        self.until: float | None = 0.0
        self.counted = 0
        self.waiting = 0
        self.busy: list[int] = []
        self.held_by_others = False
        self.told: list[str | None] | None = None
        self.file = Path()
        self._clock = clock

    @property
    def shut(self) -> bool:
        return self.shut_at(self._clock())

    def shut_at(self, now: float) -> bool:
        return self.until is None or self.until > now

    @property
    def inlet(self) -> str:
        """That of the connection file; "" of one that no worker would take up."""
        try:
            url = yaml.safe_load(self.file.read_text())["platform"]["url"]
        except (OSError, ValueError, TypeError, KeyError, RecursionError, yaml.YAMLError):
            return ""
        return str(url).rpartition("/")[2]

    async def hold(self, seconds: float | None, why: str) -> None:
        self.history.append(("hold", seconds))
        self.until = None if seconds is None else self._clock() + seconds

    async def open(self) -> bool:
        self.history.append(("open", None))
        self.until = 0.0
        return not self.held_by_others

    async def held(self) -> bool:
        return self.shut

    async def held_for(self) -> float | None:
        return None if self.until is None else max(0.0, self.until - self._clock())

    async def under_way(self) -> int:
        return self.busy.pop(0) if self.busy else 0

    async def inlets(self) -> list[str | None]:
        """As a worker that takes up the connection file at once, unless told otherwise."""
        if self.told is not None:
            return self.told
        return [self.inlet]

    async def said(self) -> tuple[str, str]:
        if self.held_by_others:
            return ("paused", "operator:stock-taking")
        return ("paused", "connect:new") if self.shut else ("open", "")

    async def tests(self) -> int:
        return self.counted

    async def in_flight(self) -> int:
        return self.waiting


class Stage:
    """Made by `staged`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.config = config_folder(folder)
        self.generated: Path | None = None
        # For what no call does: what changes at Platform by itself.
        self.sandbox: Sandbox
        tiny_documents(self.config)
        self.now = 1_800_000_000.0
        self.lane = FrontLane(self.clock)
        self.lane.file = self.config / "connections" / "acme.yaml"
        self.url = ""
        self.events: list[Progress] = []
        # Called with a number from 1, the method and the path, before and after each request.
        self.before: Callable[[int, str, str], None] = lambda *_call: None
        self.watch: Callable[[str, str], None] = lambda *_call: None
        self.after: Callable[[int, str, str], None] = lambda *_call: None
        self.requests = 0
        self.changes: dict[str, Any] = {}
        # Whether a worker runs that counts tests.
        self.works = True
        self.sandbox: Sandbox
        # Whether it is a fault of the test's own when something would be lost.
        self.guards = True
        # What the front door believes.
        self.live: Callable[[], list[bytes]] = lambda: [SIGNING_KEY.encode()]
        # Every call as curl.
        self.shown: list[str] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.look_for_losses()

    def loss(self, later: float = 0.0) -> str:
        """Why what a worker sends would be lost without a word, so many seconds from now if nobody
        does anything; "" = it would not be."""
        at = self.now + later
        if self.lane.held_by_others or self.lane.shut_at(at) or not self.lane.file.is_file():
            return ""
        inlet = self.lane.inlet
        flows = self.sandbox.plane.flows.values()
        # An inlet that is gone says so.
        return next((each.drops(at) or "" for each in flows if each.inlet.id == inlet), "")

    def look_for_losses(self) -> None:
        """Nothing may be lost at any moment."""
        assert not (self.guards and self.loss()), f"{self.loss()}: {self.lane.history[-3:]}"

    def setup(self) -> Setup:
        keys = setup_keys(
            platform__api_url=self.url,
            platform__credentials__ims_url=f"{self.url}/ims/token/v3",
            customerio__api_url=self.url,
            customerio__public_url=self.url,
        )
        for key, value in self.changes.items():
            put(keys, key.split("__"), value)
        write_keys(self.config, keys)
        return load_setup(Folders(self.config), "acme", ENVIRON)

    @asynccontextmanager
    async def wiring(self, **options: Any) -> AsyncIterator[Wiring]:
        """As a command of its own has it. `options`: of Wiring."""
        setup = self.setup()
        trace = aiohttp.TraceConfig()
        trace.on_request_start.append(self._begun)
        trace.on_request_end.append(self._ended)
        settings = Settings(
            config_dir=self.config, generated_dir=self.generated, data_dir=self.folder / "var"
        )
        async with aiohttp.ClientSession(trace_configs=[trace]) as session:
            ends = ends_of(setup, session, self.shown.append, 1e6, self.sleep)
            yield Wiring(
                setup, places_of(settings, setup), ends, self.lane,
                clock=self.clock, sleep=self.sleep, **options,
            )  # fmt: skip

    async def plan(self, **options: Any) -> Plan:
        async with self.wiring() as wiring:
            return await wiring.plan(**options)

    async def apply(self, **options: Any) -> Plan:
        """Plan and apply, as one command does."""
        async with self.wiring() as wiring:
            plan = await wiring.plan(**options)
            await wiring.apply(plan, tell=self.events.append, ask_key=_key, **options)
            return plan

    async def _begun(self, _session: Any, _context: Any, call: Any) -> None:
        self.requests += 1
        self.look_for_losses()
        self.watch(call.method, call.url.path)
        self.before(self.requests, call.method, call.url.path)

    async def _ended(self, _session: Any, _context: Any, call: Any) -> None:
        self.look_for_losses()
        self.after(self.requests, call.method, call.url.path)

    # --- what the vendors saw ---

    async def ask(self, path: str, method: str = "GET", body: Any = None) -> Any:
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, self.url + path, json=body) as response,
        ):
            assert response.status < 300, await response.text()
            return await response.json()

    async def calls(self) -> list[dict[str, Any]]:
        """Those that were made since `forget`, to both vendors, in their order."""
        return list((await self.ask("/calls"))["calls"])

    async def writes(self) -> list[str]:
        """`METHOD path` of what changed anything, without ids' rest."""
        return [
            f"{call['method']} {call['path'].partition('?')[0]}"
            for call in await self.calls()
            if call["method"] != "GET"
            and not call["path"].startswith("/ims/")
            and not call["path"].partition("?")[0].endswith(LOOKS)
        ]

    async def forget(self) -> None:
        await self.ask("/calls", "DELETE")

    async def counts(self) -> dict[str, int]:
        """How many of each kind there are, those that were there from the start left out."""
        found: dict[str, int] = (await self.ask("/objects"))["counts"]
        webhooks = (await self.ask(f"/customerio/workspaces/{WORKSPACE}"))["webhooks"]
        return {**{k: n for k, n in found.items() if n}, "webhooks": len(webhooks)}

    async def webhook(self) -> dict[str, Any]:
        [found] = (await self.ask(f"/customerio/workspaces/{WORKSPACE}"))["webhooks"]
        return dict(found)


async def _key(_where: str) -> bytes:
    return SIGNING_KEY.encode()


@asynccontextmanager
async def staged(
    folder: Path, sandbox: Mapping[str, Any] | None = None, **changes: Any
) -> AsyncIterator[Stage]:
    """A stage whose vendors have nothing yet. `sandbox`: how Platform's differs from the usual
    one; `changes`: of the setup."""
    stage = Stage(folder)
    stage.changes = changes
    usual = {"app_api_per_second": 10_000, "requests_per_second": None}
    config = replace(default_config(), **{**usual, **(sandbox or {})})
    app = make_app(config, stage.clock, random.Random(1))
    stage.sandbox = app[SANDBOX]
    app.router.add_post("/webhooks/acme", _front_door(stage))
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    stage.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield stage
    finally:
        await runner.cleanup()


def _front_door(stage: Stage) -> Callable[[web.Request], Any]:
    async def receive(request: web.Request) -> web.Response:
        stamp = request.headers["X-CIO-Timestamp"]
        signature = request.headers["X-CIO-Signature"]
        if matching_key(stage.live(), stamp, signature, await request.read()) is None:
            return web.Response(status=401)
        stage.lane.counted += stage.works
        return web.Response()

    return receive
