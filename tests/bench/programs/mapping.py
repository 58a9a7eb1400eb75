"""The mapping set exactly as the worker compiles it, from the configuration in the environment."""

from __future__ import annotations

from app.core.dataprep import MappingSet
from app.settings import environment, load_all
from tests.bench.services import CONNECTION
from worker.routes import compile_all


def mapping() -> MappingSet:
    """The bench connection's."""
    _, connections = load_all(environment())
    compiled, _ = compile_all(connections)[CONNECTION]
    assert compiled is not None
    return compiled
