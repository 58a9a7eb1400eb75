"""The mapping set exactly as the worker compiles it, from the configuration in the environment."""

from __future__ import annotations

from app.core.dataprep import MappingSet
from app.core.xdm import Schema
from app.settings import environment, load_all
from tests.bench.services import CONNECTION
from worker.routes import compile_all


def compiled() -> tuple[MappingSet, Schema]:
    """The bench connection's mapping set and schema."""
    _, connections = load_all(environment())
    mapping, schema = compile_all(connections)[CONNECTION]
    assert mapping is not None and schema is not None
    return mapping, schema
