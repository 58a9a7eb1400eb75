"""The sink: takes everything, counts it, answers at once. For measuring who sends to it.

Messages are counted by a byte pattern: each XDM message holds the key `"xdmEntity":` once, each raw
event `"event_id":`. Inside a JSON string the quotes would be escaped, so no content looks like a
key. The sender must write no space before the colon, as every compact JSON writer does.
"""

from __future__ import annotations

from typing import Final

import orjson
from aiohttp import web

from app.sandbox.control.faults import Hit
from app.sandbox.platform.answers import accepted, batch_entries, multi_status
from app.sandbox.state import SANDBOX

_PATTERNS: Final = {"xdm": b'"xdmEntity":', "raw": b'"event_id":'}
# One id and time for all: nothing is kept that they could find again.
_TRANSACTION: Final = "1565638336649:1750:244"
_RECEIVED_MS: Final = 1_565_638_336_705
_ANSWERS_KEPT: Final = 4096


class Sink:
    """Handlers that parse nothing. Answers are made once for each number of messages."""

    def __init__(self) -> None:
        self._answers: dict[tuple[str, int], bytes] = {}

    async def one(self, request: web.Request, _hit: Hit) -> web.StreamResponse:
        await request.read()
        inlet_id = request.match_info["inlet"]
        self._count(request, inlet_id, 1)
        body = orjson.dumps(accepted(inlet_id, _TRANSACTION, _RECEIVED_MS))
        return web.Response(body=body, content_type="application/json")

    async def batch(self, request: web.Request, _hit: Hit) -> web.StreamResponse:
        body = await request.read()
        inlet_id = request.match_info["inlet"]
        inlet = request.app[SANDBOX].inlets.get(inlet_id)
        messages = body.count(_PATTERNS[inlet.mode if inlet is not None else "xdm"])
        self._count(request, inlet_id, messages)
        answer = self._answer(inlet_id, messages)
        return web.Response(status=207, body=answer, content_type="application/json")

    def _count(self, request: web.Request, inlet_id: str, messages: int) -> None:
        counts = request.app[SANDBOX].received.inlet(inlet_id)
        counts.requests += 1
        counts.messages += messages

    def _answer(self, inlet_id: str, messages: int) -> bytes:
        answer = self._answers.get((inlet_id, messages))
        if answer is None:
            entries = batch_entries("statusCode", _TRANSACTION, "", [None] * messages)
            answer = orjson.dumps(multi_status(inlet_id, _TRANSACTION, _RECEIVED_MS, entries))
            if len(self._answers) < _ANSWERS_KEPT:
                self._answers[inlet_id, messages] = answer
        return answer
