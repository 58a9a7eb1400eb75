"""Random requests against the receiver: what HTTP allows is taken, all else cleanly refused.

`make fuzz MINUTES=10` runs longer. The seeds are counted from FUZZ_SEED on, so a round can be had
again.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.web.fuzz.grammar import CONNECTIONS, CUTS, HOSTILE, acceptable, split
from tests.web.fuzz.target import MARK, Target
from tests.web.fuzz.wire import GOODBYE, connect, replies, rest, send

SECONDS: Final = float(os.environ.get("FUZZ_SECONDS", "15"))
FIRST_SEED: Final = int(os.environ.get("FUZZ_SEED", "1"))

# What the receiver may answer at all. Of those that cost Customer.io's stream an hour only 401, and
# 404 and 405 where Customer.io does not post.
STATUSES: Final = {200, 401, 404, 405, 408, 413, 422, 431, 503}

pytestmark = [pytest.mark.fuzz, pytest.mark.timeout(SECONDS * 2 + 120)]


def rounds(check: Callable[..., None], **drawn: st.SearchStrategy[Any]) -> None:
    """The check with new input until the time is over."""
    plain = settings(
        max_examples=10,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )(given(**drawn)(check))
    end, number = time.monotonic() + SECONDS, FIRST_SEED
    while number == FIRST_SEED or time.monotonic() < end:
        seed(number)(plain)()
        number += 1


def test_whatever_http_allows_is_taken_and_ends_somewhere(target: Target) -> None:
    with target.unharmed(target.system.receiver):
        ids: set[str] = set()

        def check(webhooks: list[Any], cuts: list[float]) -> None:
            content = b"".join(webhook.content for webhook in webhooks) + GOODBYE
            with connect(target.port) as connection:
                send(connection, split(content, cuts))
                answers = replies(rest(connection))
            assert [answer.status for answer in answers] == [200] * (len(webhooks) + 1), content
            target.acknowledged += len(webhooks)
            ids.update(webhook.event_id for webhook in webhooks if webhook.event_id)

        rounds(check, webhooks=st.lists(acceptable(), min_size=1, max_size=5), cuts=CUTS)

    assert ids <= target.ids_of_the_delivered_and_the_dead(CONNECTIONS)


def test_whatever_it_does_not_is_refused_and_harms_nobody(target: Target) -> None:
    with target.unharmed(target.impatient):

        def check(attacks: list[Any]) -> None:
            connections = [connect(target.impatient_port) for _ in attacks]
            try:
                for connection, (content, cuts, _) in zip(connections, attacks, strict=True):
                    send(connection, split(content + GOODBYE, cuts))
                for connection, (content, _, early) in zip(connections, attacks, strict=True):
                    if not early:
                        answers = replies(rest(connection))
                        assert {answer.status for answer in answers} <= STATUSES, content
            finally:
                for connection in connections:
                    connection.close()

        one = st.tuples(HOSTILE, CUTS, st.sampled_from((False, False, False, True)))
        rounds(check, attacks=st.lists(one, min_size=8, max_size=24))


def test_the_ledger_adds_up_after_all_that(target: Target) -> None:
    rows = [target.run(target.system.settled(name)) for name in CONNECTIONS]

    assert sum(row.received for row in rows) >= target.acknowledged
    checked = target.run(target.system.sluice("ledger", "--check", "--json"))
    assert checked.code == 0, checked.out
    # The worker read all of it, and said nothing of what it read.
    assert target.system.workers[0].alive
    assert MARK not in target.system.workers[0].log
    assert json.loads(checked.out)
