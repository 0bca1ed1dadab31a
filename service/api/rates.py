"""How often a key may call, and an address may send a wrong one; counted in this process's memory."""

from __future__ import annotations

import math
import time

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from service.api.errors import HttpError
from service.settings import Settings


class Rates:
    """Two sliding windows: of calls by key, of failures by address."""

    def __init__(self, settings: Settings) -> None:
        self._calls, self._failures = parse(settings.rate_limit), parse(settings.failed_key_limit)
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def count_call(self, key_id: str) -> None:
        """Raises HttpError 429 `rate_limited`."""
        if not self._limiter.hit(self._calls, "calls", key_id):
            raise self._refusal(self._calls, "calls", key_id, "rate_limited", "this key calls too often")

    def count_failure(self, address: str) -> None:
        """Raises HttpError 429 `too_many_failures`."""
        if not self._limiter.hit(self._failures, "failures", address):
            said = "too many wrong keys came from this address"
            raise self._refusal(self._failures, "failures", address, "too_many_failures", said)

    def _refusal(self, limit: RateLimitItem, kind: str, name: str, code: str, said: str) -> HttpError:
        reset = self._limiter.get_window_stats(limit, kind, name).reset_time
        seconds = max(math.ceil(reset - time.time()), 1)
        return HttpError(
            429,
            code,
            f"{said}: the limit is {limit}.",
            fix=f"Try again in {seconds} s.",
            headers={"Retry-After": str(seconds)},
        )
