"""When a message that did not get through is sent again.

After attempt n = 1, 2, ... the pause is

    pause(n) = min(FIRST * 4^(n - 1), LONGEST) * j,    j uniform in [1 - JITTER, 1 + JITTER]

5 s, 20 s, 80 s, ..., then every four hours: about 13 attempts. The last is the one after which the next would
come more than a day after the event.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

FIRST = timedelta(seconds=5)
LONGEST = timedelta(hours=4)
JITTER = 0.2
GIVEN_UP_AFTER = timedelta(days=1)
DISABLED_AFTER = timedelta(days=3)
"""A webhook is disabled when a message is given up and nothing got through for so long."""


def next_attempt(*, attempts: int, created: datetime, now: datetime) -> datetime | None:
    """When to try again after so many attempts; None to give up."""
    factor: int = 4 ** min(attempts - 1, 12)  # beyond, LONGEST counts anyway
    jitter = random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - it spreads load, it keeps no secret
    after = now + min(FIRST * factor, LONGEST) * jitter
    return after if after <= created + GIVEN_UP_AFTER else None
