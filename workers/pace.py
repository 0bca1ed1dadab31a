"""How long a trial trains before it writes a checkpoint in the middle of an epoch.

    pause after  max(E, w / SHARE)  seconds

E is what is asked for, and w what the last checkpoint took to write, so that writing takes at most about
SHARE of the time however large the network is. An epoch that ends before is not paused in.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from workers.training import never

SHARE = 0.05
"""Of the time, what may go into checkpoints within epochs."""


class Pace:
    """The pauses of one trial; with `every` None there is none within an epoch."""

    def __init__(self, *, every: float | None, clock: Callable[[], float] = time.perf_counter) -> None:
        self._every = every
        self._clock = clock
        self._writing = 0.0

    def pause(self) -> Callable[[], bool]:
        """Whether to pause, of a part that begins now."""
        if self._every is None:
            return never
        due = self._clock() + max(self._every, self._writing / SHARE)
        return lambda: self._clock() >= due

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Notes how long a checkpoint takes to write."""
        began = self._clock()
        yield
        self._writing = self._clock() - began
