"""Customer.io's reporting webhook (customerio.md section 10).

Made disabled, and one that was there is disabled first: its signing key, which only a person can
copy, must be known here before the first event comes. Switched on last, when a test came through.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from app.connect.plan import Action, Difference, Item, fresh
from app.connect.run import Run
from app.connect.signing_keys import key_files
from app.customerio.events import EVENTS, events_of
from app.customerio.webhooks import Webhook as Found

WEBHOOK: Final = "webhook"
ON: Final = "webhook_on"

# Events over 10 KB are in the lake, and silently missing in Profile (platform.md section 7.13).
CONTENT: Final = (
    "with_content is on: sent events carry the message's body, and Profile drops events over 10 KB"
)


NO_CONTENT: Final = (
    "message bodies stay out (with_content): with them events grow over 10 KB, and those Profile "
    "drops silently"
)


class Webhook:
    """Name, endpoint, events and the two options."""

    key, kind = WEBHOOK, "reporting webhook"

    async def look(self, run: Run) -> list[Item]:
        wanted = _wanted(run)
        if wanted.with_content:
            run.note(CONTENT)
        found = await find_webhook(run)
        run.facts["webhook"] = found
        if found is None:
            run.ids[self.key] = ""
            why = "" if wanted.with_content else NO_CONTENT
            made_of = fresh(*_parts(wanted))
            return [Item(self.key, self.kind, wanted.name, Action.CREATE, "", made_of, why)]
        run.ids[self.key] = str(found.id)
        pairs = (
            ("name", found.name, wanted.name),
            ("endpoint", found.endpoint, wanted.endpoint),
            ("full_resolution", _word(found.full_resolution), _word(wanted.full_resolution)),
            ("with_content", _word(found.with_content), _word(wanted.with_content)),
            ("events", *_events(found, wanted)),
        )
        differences = tuple(Difference(*pair) for pair in pairs if pair[1] != pair[2])
        off_first = run.facts["webhook_off_first"] = _off_first(run, found, wanted)
        if off_first:
            differences += (Difference("disabled", "false", "true"),)
        action = Action.CHANGE if differences else Action.EXISTS
        return [Item(self.key, self.kind, wanted.name, action, str(found.id), differences)]

    async def act(self, run: Run, item: Item) -> None:
        wanted, found = _wanted(run), run.facts["webhook"]
        webhooks = run.ends.webhooks
        if item.action is Action.CREATE:
            made = await webhooks.create(
                wanted.name, wanted.endpoint, wanted.events, disabled=True,
                full_resolution=wanted.full_resolution, with_content=wanted.with_content,
            )  # fmt: skip
        else:
            disabled = found.disabled or run.facts["webhook_off_first"]
            made = await webhooks.update(replace(wanted, id=found.id, disabled=disabled))
        run.ids[self.key], run.facts["webhook"] = str(made.id), made


class WebhookOn:
    """From now on Customer.io sends."""

    key, kind = ON, "webhook switch"

    async def look(self, run: Run) -> list[Item]:
        found: Found | None = run.facts.get("webhook")
        name = run.setup.webhook_name
        if found is not None and not found.disabled and not run.facts.get("webhook_off_first"):
            return [Item(self.key, self.kind, name, Action.EXISTS)]
        if run.state.webhook_off:
            why = f"a person switched it off; `sluice connection enable {run.setup.name}` undoes it"
            return [Item(self.key, self.kind, name, Action.LEAVE, why=why)]
        change = (Difference("disabled", "true", "false"),)
        return [Item(self.key, self.kind, name, Action.CHANGE, "", change)]

    async def act(self, run: Run, item: Item) -> None:
        found: Found = run.facts["webhook"]
        run.facts["webhook"] = await run.ends.webhooks.update(replace(found, disabled=False))


def _off_first(run: Run, found: Found, wanted: Found) -> bool:
    """Whether it would send to us before its key is known here: each of its events were refused,
    and held for an hour (section 9). One of ours goes on, since events of a time when it is off
    never come."""
    if found.disabled or found.endpoint == wanted.endpoint:
        return False
    return run.state.ids.get(WEBHOOK) != str(found.id) or not key_files(run.places.signing_key)


async def find_webhook(run: Run) -> Found | None:
    """By the id of before, else by name. Raises Ambiguous."""
    everything = await run.ends.webhooks.all()
    known = run.state.ids.get(WEBHOOK)
    for each in everything:
        if str(each.id) == known:
            return each
    named = [each for each in everything if each.name == run.setup.webhook_name]
    chosen = run.pick(WEBHOOK, [{"id": str(each.id)} for each in named])
    return None if chosen is None else next(e for e in named if str(e.id) == chosen["id"])


def _wanted(run: Run) -> Found:
    setup, wanted = run.setup, run.setup.customerio
    return Found(
        0,
        setup.webhook_name,
        setup.webhook_url,
        events_of(wanted.families),
        full_resolution=wanted.full_resolution,
        with_content=wanted.with_content,
    )


def _parts(wanted: Found) -> list[tuple[str, object]]:
    """What a new one is made of."""
    families = {
        name: [event for event in events if event in wanted.events]
        for name, events in EVENTS.items()
    }
    return [
        ("endpoint", wanted.endpoint),
        ("disabled", "true, until a test event came through"),
        ("full_resolution", wanted.full_resolution),
        ("with_content", wanted.with_content),
        *((f"events: {name}", events) for name, events in families.items() if events),
    ]


def _events(found: Found, wanted: Found) -> tuple[str, str]:
    """What either has alone; the order does not matter."""
    have, want = set(found.events), set(wanted.events)
    return ", ".join(sorted(have - want)), ", ".join(sorted(want - have))


def _word(value: bool) -> str:
    return str(value).lower()
