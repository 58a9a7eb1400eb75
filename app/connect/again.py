"""The test event of an apply, sent again when a person asks for it."""

from __future__ import annotations

import asyncio
import time

from app.connect.documents import read_documents
from app.connect.lane import Lane
from app.connect.plan import Action, Item
from app.connect.run import Progress, Run
from app.connect.state import StateFile
from app.connect.steps.ending import TestCounted, TestEvent
from app.connect.wiring import Tell, Wiring
from app.core.errors import SluiceError


async def send_again(wiring: Wiring, lane: Lane, tell: Tell) -> None:
    """Through the public URL, and, where the lane is open, until a worker has counted it; a lane
    that is held takes no test either. Raises SluiceError."""
    setup, places = wiring.setup, wiring.places
    if not places.signing_key.is_file():
        raise SluiceError("there is no signing key yet: apply the setup first")
    file = StateFile(places.data_dir, setup.name)
    with file.alone():
        documents = read_documents(setup, places.folders.config)
        run = Run(
            setup, documents, places, wiring.ends, file, time.time, asyncio.sleep,
            lane=lane, tell=tell,
        )  # fmt: skip
        step = TestEvent()
        item = Item(step.key, step.kind, setup.webhook_url, Action.CREATE)
        tell(Progress("doing", item))
        await step.act(run, item)
        file.save()
        gate, _ = await lane.said()
        if gate == "open":
            await TestCounted().act(run, item)
            file.save()
        else:
            tell(Progress("note", text="it is answered; the lane is held, so it is counted later"))
        tell(Progress("done", item))
