"""Rate limits as token buckets (platform.md section 2.7). Pure: the caller gives the time."""

from __future__ import annotations


class Bucket:
    """Lets `rate` units pass a second on average, `burst` at once; None lets everything pass.

    A cost may overdraw the bucket as long as it is not empty: a batch of more messages than a
    second allows passes, and the ones after it pay.
    """

    def __init__(self, rate: float | None, burst: float | None = None) -> None:
        self._rate = rate
        self._burst = burst if burst is not None else (rate or 0.0)
        self._level = self._burst
        self._at: float | None = None

    def take(self, now: float, cost: float = 1.0) -> bool:
        """Whether `cost` units may pass at `now` (seconds, monotonic)."""
        if self._rate is None:
            return True
        elapsed = now - self._at if self._at is not None else 0.0
        self._at = now
        self._level = min(self._burst, self._level + elapsed * self._rate)
        if self._level < 1.0:
            return False
        self._level -= cost
        return True


class Limits:
    """The buckets of one sandbox: requests and messages per organisation, syncs per inlet."""

    def __init__(
        self, requests: float | None, messages: float | None, syncs_per_minute: float
    ) -> None:
        self._requests = requests
        self._messages = messages
        self._syncs_per_minute = syncs_per_minute
        self._buckets: dict[tuple[str, str], Bucket] = {}

    def request(self, org_id: str, now: float) -> bool:
        return self._bucket("request", org_id, self._requests, None).take(now)

    def messages(self, org_id: str, now: float, count: int) -> bool:
        return self._bucket("message", org_id, self._messages, None).take(now, count)

    def sync(self, inlet_id: str, now: float) -> bool:
        per_minute = self._syncs_per_minute
        return self._bucket("sync", inlet_id, per_minute / 60, per_minute).take(now)

    def _bucket(self, what: str, key: str, rate: float | None, burst: float | None) -> Bucket:
        bucket = self._buckets.get((what, key))
        if bucket is None:
            bucket = self._buckets[what, key] = Bucket(rate, burst)
        return bucket
