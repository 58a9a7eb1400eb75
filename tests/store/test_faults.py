"""What Redis' errors mean: those that no test brings about with a real server."""

from __future__ import annotations

import pytest

from app.core.errors import StoreUnavailable
from app.store.faults import store_faults


def test_a_write_to_a_connection_that_uvloop_has_closed_is_a_redis_that_is_away() -> None:
    """It ended the worker's task that pulls waiting batches, and so the worker."""
    said = "unable to perform operation on <TCPTransport closed=True>; the handler is closed"
    with pytest.raises(StoreUnavailable) as caught, store_faults():
        raise RuntimeError(said)
    assert caught.value.reason == "away"


def test_any_other_runtime_error_is_a_bug() -> None:
    with pytest.raises(RuntimeError, match="ours"), store_faults():
        raise RuntimeError("ours")
