"""The fields of each kind of event, made up: values for what app.core.published lists."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import orjson

from app.core.published import MESSAGES, PREFERENCES, PUBLISHED
from app.sandbox.customerio.events import texts
from app.sandbox.customerio.events.people import Person, delivery_id, device_id


@dataclass(slots=True)
class Scene:
    """What the fields of one event are made from. `ulid` mints a fresh one."""

    rng: random.Random
    person: Person
    family: str
    metric: str
    ulid: Callable[[], str]


Maker = Callable[[Scene], Any]

KINDS: Final = tuple(PUBLISHED)


def message_data(scene: Scene) -> dict[str, Any]:
    """`data` of a message event: the common fields, its variant's, and its metric's."""
    rng = scene.rng
    data: dict[str, Any] = {
        "customer_id": scene.person.id or "",
        "delivery_id": delivery_id(rng),
        "identifiers": _identifiers(scene),
        **_variant(scene),
    }
    for name in MESSAGES[scene.family][scene.metric].split():
        if name[-1] != "?":
            data[name] = _MAKERS[name](scene)
        elif rng.random() < 0.6:
            data[name[:-1]] = _MAKERS[name[:-1]](scene)
    return data


def customer_data(scene: Scene) -> dict[str, Any]:
    """`data` of a subscription event (section 5)."""
    data: dict[str, Any] = {
        "customer_id": scene.person.id or "",
        "email_address": scene.person.email,
        "identifiers": scene.person.identifiers,
    }
    if scene.metric == PREFERENCES:
        data.update(_variant(scene, transactional=False), delivery_id=delivery_id(scene.rng))
        data["content"] = _preferences(scene.rng)
    return data


def _identifiers(scene: Scene) -> dict[str, Any]:
    # Workspaces keyed by id only show nothing else (section 3).
    if scene.person.number % 11 == 3 and scene.person.id is not None:
        return {"id": scene.person.id}
    return scene.person.identifiers


def _variant(scene: Scene, transactional: bool = True) -> dict[str, Any]:
    rng = scene.rng
    drawn = rng.random()
    if drawn < 0.5:
        campaign = {
            "action_id": rng.randint(1, 400),
            "campaign_id": rng.randint(1, 60),
            "journey_id": scene.ulid(),
        }
        if drawn < 0.2:
            campaign["trigger_event_id"] = scene.ulid()
        if drawn < 0.1:
            campaign["parent_action_id"] = rng.randint(1, 400)
        return campaign
    if drawn < 0.75:
        return {"newsletter_id": rng.randint(1, 90), "content_id": rng.randint(1, 200)}
    if drawn < 0.85 or not transactional:
        return {
            "action_id": rng.randint(1, 400),
            "broadcast_id": rng.randint(1, 30),
            "trigger_id": rng.randint(1, 5000),
            "journey_id": scene.ulid(),
        }
    return {"transactional_message_id": rng.randint(1, 25)}


def _preferences(rng: random.Random) -> str:
    topics = {f"topic_{number}": rng.random() < 0.5 for number in range(1, rng.randint(2, 6))}
    document: dict[str, Any] = {"topics": topics}
    if rng.random() < 0.3:
        document["channels"] = {"email": rng.random() < 0.5}
    return orjson.dumps(document).decode()


def _recipient(scene: Scene) -> str:
    match scene.family:
        case "sms" | "whatsapp":
            return scene.person.phone
        case "slack":
            return scene.rng.choice(texts.CHANNELS)
        case "webhook":
            return scene.rng.choice(texts.HOOKS)
        case "in_app":
            return scene.person.id or scene.person.address
        case _:
            return scene.person.address


def _recipients(scene: Scene) -> list[dict[str, Any]]:
    rng = scene.rng
    devices = []
    for _ in range(1 if rng.random() < 0.85 else 2):
        device = {"device_id": device_id(rng), "device_platform": rng.choice(("ios", "android"))}
        if scene.metric in ("bounced", "dropped"):
            device["failure_message"] = _failure(scene)
        devices.append(device)
    return devices


def _content(scene: Scene) -> str:
    if scene.family in ("email", "in_app"):
        return texts.html(scene.rng, scene.person)
    if scene.family == "push":
        return texts.push_payload(scene.rng, scene.person)
    if scene.family == "webhook":
        return orjson.dumps({"name": scene.person.full, "plan": "pro"}).decode()
    return f"Hi {scene.person.first}, {texts.words(scene.rng, scene.rng.randint(40, 120))}"


def _failure(scene: Scene) -> str:
    family = "sms" if scene.family == "whatsapp" else scene.family
    return scene.rng.choice(texts.FAILURES[family])


_MAKERS: Final[dict[str, Maker]] = {
    "subject": lambda scene: texts.subject(scene.rng, scene.person),
    "recipient": _recipient,
    "recipients": _recipients,
    "content": _content,
    "headers": lambda scene: {"X-Campaign": [f"autumn-{scene.rng.randint(1, 9)}"]},
    "failure_message": _failure,
    "href": lambda scene: (texts.app_link if scene.family == "push" else texts.link)(scene.rng),
    "link_id": lambda scene: scene.rng.randint(1, 900),
    "proxied": lambda scene: scene.rng.random() < 0.3,
    "prefetched": lambda scene: scene.rng.random() < 0.4,
    "synthetic": lambda scene: scene.rng.random() < 0.05,
    "machine": lambda scene: scene.rng.random() < 0.2,
    "tracked_response": lambda scene: scene.rng.choice(("accept", "dismiss", "learn more")),
    "inbound_event_id": lambda scene: scene.ulid(),
    "to": lambda scene: "+12025550199",
}
