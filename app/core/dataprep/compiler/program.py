"""From written statements to a function that runs."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any, Final

from app.core.dataprep.compiler.quoting import statements

_TEMPLATE: Final = "def run(source, received_ms=0):\n    BODY"

# All that generated code may call besides what is bound to it.
_BUILTINS: Final = {
    "type": type, "str": str, "int": int, "dict": dict, "list": list, "len": len,
    "Exception": Exception,
}  # fmt: skip


def function(body: list[ast.stmt], bound: Mapping[str, Any]) -> Callable[..., Any]:
    """The function `run(source, received_ms=0)`; `bound`: what the names in its body stand for.

    Only here does the engine's code become a program. Raises RecursionError for a body nested
    deeper than Python compiles.
    """
    module = ast.Module(statements(_TEMPLATE, BODY=body), type_ignores=[])
    program = compile(ast.fix_missing_locations(module), "<mapping set>", "exec")
    names: dict[str, Any] = {**bound, "__builtins__": _BUILTINS}
    exec(program, names)  # our own tree: of the mapping file it holds constants only
    run: Callable[..., Any] = names["run"]
    return run
