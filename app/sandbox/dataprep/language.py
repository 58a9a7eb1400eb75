"""The expression language: what it knows, and whether an expression is right (section 4.1)."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from app.core.dataprep import compile_expression
from app.core.dataprep.functions import FUNCTIONS, FUNCTIONS_OF_EVENT
from app.core.dataprep.language.operators import OPERATORS, UNARY
from app.core.errors import MappingSetInvalid
from app.sandbox.gateway.errors import json_answer
from app.sandbox.gateway.view import View
from app.sandbox.plane.body import object_of, text_in

# Written as branches, so they are in no table of functions.
_BRANCHES: Final = ("iif", "decode", "coalesce", "contains_key", "nullify")


async def validate_expression(request: web.Request, view: View) -> web.StreamResponse:
    """As the guide shows it, or as the API file does, whichever is configured."""
    text = text_in(view, await object_of(request, view), "expression")
    status, error = "succeeded", "none"
    try:
        compile_expression(text)
    except MappingSetInvalid as invalid:
        status, error = "failed", "; ".join(invalid.faults)
    if view.sandbox.config.expression_answer == "boolean":
        return json_answer(status == "succeeded")
    return json_answer({"validationStatus": status, "error": error})


async def list_functions(_request: web.Request, _view: View) -> web.StreamResponse:
    return json_answer(
        [_function(name) for name in sorted({*FUNCTIONS, *FUNCTIONS_OF_EVENT, *_BRANCHES})]
    )


async def list_operators(_request: web.Request, _view: View) -> web.StreamResponse:
    found = [_operator(symbol, 2) for symbol in OPERATORS]
    return json_answer(found + [_operator(symbol, 1) for symbol in (*UNARY, "!")])


def _function(name: str) -> dict[str, Any]:
    """In the form of the reference; its texts are Adobe's and are not repeated here."""
    module = getattr(FUNCTIONS.get(name), "__module__", "").rpartition(".")[2]
    return {
        "category": module or "special",
        "function": name,
        "description": "",
        "syntax": f"{name}(...)",
        "returns": "",
        "returnType": "",
        "example": "",
        "result": "",
        "params": [],
        "since": "1.0",
    }


def _operator(symbol: str, operands: int) -> dict[str, Any]:
    return {
        "operatorSymbol": symbol,
        "methodName": "",
        "numberOfOperands": operands,
        "description": "",
        "example": "",
    }
