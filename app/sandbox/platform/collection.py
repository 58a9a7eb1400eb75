"""POST /collection/{inlet} and /collection/batch/{inlet}, as platform.md sections 2.1 to 2.7 say.

Where the reference is silent (unknown inlet, missing flow id, malformed JSON) the answer is ours
and stays within the documented error object.
"""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web

from app.sandbox.config import Inlet
from app.sandbox.control.faults import Hit
from app.sandbox.platform import answers
from app.sandbox.platform.admission import Denied, admit, content_of, require_flow_id
from app.sandbox.platform.answers import Refusal
from app.sandbox.platform.envelope import check_message, record_id, record_of
from app.sandbox.platform.validation import streaming_validation
from app.sandbox.state import SANDBOX, Sandbox


async def collect_one(request: web.Request, hit: Hit) -> web.StreamResponse:
    """One message: 200 when its envelope is right; with syncValidation when it is right whole."""
    sandbox = request.app[SANDBOX]
    try:
        inlet = admit(request, hit)
        inlet = require_flow_id(request, inlet)
        message = await content_of(request)
        inlet = flow_of(sandbox, inlet, message)
        limit_messages(sandbox, inlet, 1)
        sync = _sync_outcome(request, sandbox, inlet)
    except Denied as denied:
        return denied.response()
    now_ms = int(sandbox.clock() * 1000)
    refusal = examine(sandbox, hit, inlet, message)
    if refusal is None and sync:
        refusal = _validate(sandbox, inlet, message)
    if refusal is not None:
        sandbox.received.inlet(inlet.id).refused += 1
        return json_response(answers.problem(refusal), refusal.status)
    xaction_id = sandbox.transaction(now_ms)
    size = request.content_length or 0
    _take(sandbox, inlet, message, now_ms, xaction_id, size)
    sandbox.meters.take(inlet.id, 1, size)
    body = answers.accepted(inlet.id, xaction_id, now_ms)
    if inlet.mode == "raw":
        body["flowId"] = inlet.flow_id
    if sync:
        body["syncValidation"] = {"status": "pass"}
    return json_response(body)


async def collect_batch(request: web.Request, hit: Hit) -> web.StreamResponse:
    """Many messages: 207 with an entry each, also when none was taken."""
    sandbox = request.app[SANDBOX]
    try:
        inlet = admit(request, hit, batch=True)
        inlet = require_flow_id(request, inlet)
        messages = _messages_of(inlet, await content_of(request))
        limit_messages(sandbox, inlet, len(messages))
    except Denied as denied:
        return denied.response()
    now_ms = int(sandbox.clock() * 1000)
    batch_id = sandbox.transaction(now_ms)
    size = (request.content_length or 0) // len(messages)
    inlets = [flow_of(sandbox, inlet, message) for message in messages]
    refusals = [
        examine(sandbox, hit, fed, message) for fed, message in zip(inlets, messages, strict=True)
    ]
    for index, (message, refusal) in enumerate(zip(messages, refusals, strict=True)):
        if refusal is None:
            _take(sandbox, inlets[index], message, now_ms, f"{batch_id}:{index}", size)
        else:
            sandbox.received.inlet(inlet.id).refused += 1
    sandbox.meters.take(inlet.id, refusals.count(None), size)
    entries = _entries(sandbox, hit, batch_id, refusals)
    return json_response(answers.multi_status(inlet.id, batch_id, now_ms, entries), 207)


def limit_messages(sandbox: Sandbox, inlet: Inlet, count: int) -> None:
    """Raises Denied (429) when the organisation's messages come too fast."""
    if not sandbox.limits.messages(inlet.org_id, sandbox.clock(), count):
        raise Denied.too_many(sandbox.config.retry_after_s)


def flow_of(sandbox: Sandbox, inlet: Inlet, message: Any) -> Inlet:
    """The inlet with the flow that an XDM message names, where it feeds several (section 2.3)."""
    if inlet.mode != "xdm" or not sandbox.inlets.shared(inlet) or not isinstance(message, dict):
        return inlet
    header = message.get("header")
    return sandbox.inlets.of_flow(inlet, header.get("flowId") if isinstance(header, dict) else None)


def examine(sandbox: Sandbox, hit: Hit, inlet: Inlet, message: Any) -> Refusal | None:
    """What is wrong with one message at once: a fault on demand, else its envelope."""
    rule = hit.rule
    if rule is not None and rule.partial and sandbox.chance.random() < rule.partial:
        return Refusal(rule.partial_status, "fault on demand", title="Fault on demand")
    if inlet.mode == "xdm":
        return check_message(inlet, message)
    if not isinstance(message, dict):
        return Refusal(400, f"inletId: [{inlet.id}] imsOrgId: [{inlet.org_id}] Message is invalid")
    return None


def _messages_of(inlet: Inlet, document: Any) -> list[Any]:
    if inlet.mode == "raw" and not inlet.raw_batch:
        raise Denied.problem(Refusal(400, f"inletId: [{inlet.id}] Batch of raw data is refused"))
    messages = document.get("messages") if isinstance(document, dict) else None
    if not isinstance(messages, list) or not messages:
        raise Denied.problem(Refusal(400, "The 'messages' field is mandatory."))
    return messages


def _sync_outcome(request: web.Request, sandbox: Sandbox, inlet: Inlet) -> bool:
    """Whether the message is to be validated at once. Raises Denied (501, 429)."""
    # The older spelling stands in pages before 2022 (section 2.1).
    query = request.query
    if "true" not in (query.get("syncValidation"), query.get("synchronousValidation")):
        return False
    if not inlet.sync_validation:
        raise Denied.problem(Refusal(501, "Synchronous validation is not available here"))
    if not sandbox.limits.sync(inlet.id, sandbox.clock()):
        raise Denied.too_many(sandbox.config.retry_after_s)
    return True


def _validate(sandbox: Sandbox, inlet: Inlet, message: Any) -> Refusal | None:
    if inlet.mode != "xdm":
        return None
    violations = sandbox.judge.violations(inlet, message, sandbox.clock())
    if not violations:
        return None
    text = f"inletId: [{inlet.id}] imsOrgId: [{inlet.org_id}] Message is invalid"
    return Refusal(400, text, cause=streaming_validation(violations))


def _take(
    sandbox: Sandbox, inlet: Inlet, message: Any, now_ms: int, xaction_id: str, size: int
) -> None:
    record = record_of(inlet, message)
    found = record_id(inlet, record)
    sandbox.received.add(inlet.id, found, record, now_ms, xaction_id)
    flow = sandbox.plane.flows.get(inlet.flow_id)
    if flow is not None and (why := flow.drops(sandbox.clock())) is not None:
        sandbox.lake.vanish(inlet, found, why)
        return
    sandbox.later.add(inlet, found, message, size, sandbox.faults.meet("lake", inlet.id).rule)


def _entries(
    sandbox: Sandbox, hit: Hit, batch_id: str, refusals: list[Refusal | None]
) -> list[dict[str, Any]]:
    style = sandbox.config.entry_style
    if style == "both":
        style = "statusCode" if sandbox.chance.random() < 0.5 else "status"
    entries = answers.batch_entries(style, batch_id, _uuid(sandbox), refusals)
    rule = hit.rule
    taken = [index for index, refusal in enumerate(refusals) if refusal is None]
    if rule is not None and rule.short_answer and taken:
        del entries[sandbox.chance.choice(taken)]
    return entries


def _uuid(sandbox: Sandbox) -> str:
    digits = f"{sandbox.chance.getrandbits(128):032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def json_response(body: dict[str, Any], status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(body), content_type="application/json")
