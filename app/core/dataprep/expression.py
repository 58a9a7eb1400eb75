"""One expression on its own, as a function: what `sluice mappings eval` runs."""

from __future__ import annotations

import ast
from collections.abc import Callable

from app.core.dataprep.compiler.expressions import CannotCompile, Expressions
from app.core.dataprep.compiler.program import function
from app.core.dataprep.compiler.quoting import statements
from app.core.dataprep.compiler.sources import Sources
from app.core.dataprep.language.grammar import ExpressionInvalid, parse_expression
from app.core.dataprep.problems import Problem
from app.core.dataprep.values import Occasion, Value
from app.core.errors import MappingSetInvalid


def compile_expression(text: str) -> Callable[[Value, int], Value]:
    """The function `(source, received_ms) -> value` of an expression; it raises RowFault.

    Its value is bare: nulls and empties stay, a date is a datetime. Raises MappingSetInvalid;
    its problems are of row 0, place "source".
    """
    try:
        tree = parse_expression(text)
        sources = Sources([tree])
        expressions = Expressions(sources)
        shared = expressions.share([tree])
        value = expressions.write(tree)
        body: list[ast.stmt] = []
        if expressions.occasional:
            body += statements("occasion = OCCASION(source, received_ms)")
        body += [*sources.load(), *shared, ast.Return(value)]
        return function(body, {**sources.bound, **expressions.bound, "OCCASION": Occasion})
    except ExpressionInvalid as invalid:
        faults = [(invalid.column, str(invalid))]
    except CannotCompile as invalid:
        faults = invalid.faults
    except RecursionError:
        faults = [(1, "it is nested too deeply")]
    problems = [Problem(0, "source", column, message, text) for column, message in faults]
    raise MappingSetInvalid(problems)
