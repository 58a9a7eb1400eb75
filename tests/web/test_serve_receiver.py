"""The composition root: what settings become, and which Redis is trusted."""

from __future__ import annotations

import pytest

from app.cli.serve_receiver import _CheckedBatches, receiver_config
from app.core.errors import ConfigError, StoreUnavailable
from app.settings import Settings


def test_the_settings_of_the_receiver_reach_it():
    config = receiver_config(Settings(linger_ms=7, answer_deadline_seconds=2.5, memory_share=0.5))
    assert (config.linger_ms, config.answer_deadline_seconds) == (7, 2.5)
    assert config.memory_share == 0.5


async def test_a_redis_that_evicts_is_refused_at_start_and_shed_later(store):
    batches = _CheckedBatches(store)
    await store.config_set("maxmemory-policy", "allkeys-lru")
    try:
        with pytest.raises(ConfigError, match="noeviction"):
            await batches.check()
        with pytest.raises(StoreUnavailable) as refused:
            await batches.pressure()
        assert refused.value.reason == "unsafe"
    finally:
        await store.config_set("maxmemory-policy", "noeviction")
    assert (await batches.pressure()).backlog_events == 0


async def test_a_redis_that_is_away_at_start_is_asked_again(own_redis):
    from app.store.connect import open_store

    own_redis.kill()
    redis = open_store(own_redis.url, timeout_seconds=1)
    batches = _CheckedBatches(redis)
    await batches.check()
    with pytest.raises(StoreUnavailable):
        await batches.pressure()
    own_redis.start()
    assert (await batches.pressure()).open_batches == 0
    await redis.aclose(close_connection_pool=True)
