"""The batches of a training epoch, prepared ahead of the step that takes them.

One background thread gathers, augments and scales the next batches while the network trains on this one. What
a batch holds depends on its number alone, so the thread changes neither their order nor their numbers.
For a GPU the thread gathers into pinned memory; copying and the rest then happen on the device, in its queue.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch

from workers.data.augment import Augmentation, Draws
from workers.data.augment.augmentation import SCALED, UNIT
from workers.data.batches import choices
from workers.data.samples import Samples, unit

Rests = Generator[Callable[[], "Batch"], None, None]
"""What is left to do for each batch in turn."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """What a step trains on.

    `x` is [B, C, H, W], or [F, B, C, H, W] for event data; `y_B` its classes; `target` what the loss compares
    the logits with: the classes, or with mixup the shares of all classes, float32 [B, K].
    """

    x: torch.Tensor
    y_B: torch.Tensor  # noqa: N815 - the letter is the axis
    target: torch.Tensor


class Preparation:
    """How a batch is made of samples: a pure function of its number and places."""

    def __init__(
        self,
        samples: Samples,
        *,
        classes: int,
        augmentation: Augmentation,
        draws: Draws,
        device: torch.device,
    ) -> None:
        self.samples = samples
        self.classes = classes
        self.augmentation = augmentation
        self.draws = draws
        self.device = device
        self._scaling = samples.scaling.on(device)

    def begun(self, number: int, chosen_B: torch.Tensor) -> Callable[[], Batch]:
        """Do what can be done beside a training step; what is left gives the batch."""
        stored, y_B = self.samples.gather(chosen_B), self.samples.y_N[chosen_B]
        if self.device.type == "cpu":
            batch = self._finished(number, stored, y_B)
            return lambda: batch
        stored, y_B = stored.pin_memory(), y_B.pin_memory()
        return lambda: self._finished(number, stored, y_B)

    @torch.no_grad()
    def _finished(self, number: int, stored: torch.Tensor, y_B: torch.Tensor) -> Batch:
        stored, y_B = (part.to(self.device, non_blocking=True) for part in (stored, y_B))
        photometric = stored.dtype == torch.uint8 and stored.dim() == 4
        random = self.draws.random(number, UNIT)
        x = self.augmentation.before_scaling(unit(stored), random, photometric=photometric)
        random = self.draws.random(number, SCALED)
        x, target = self.augmentation.after_scaling(self._scaling.apply(x), y_B, self.classes, random)
        return Batch(x=x, y_B=y_B, target=target)


AHEAD = 2
"""Batches that a thread prepares ahead."""


def ahead_for(preparation: Preparation) -> int:
    """How many batches are worth preparing ahead: none where a thread would hide less than it costs.

    Gathering and scaling bytes in memory takes a thousandth of a step. On a single CPU a thread only takes
    turns with the step, unless it waits for a disk or a device.
    """
    stored = preparation.samples.stored
    in_memory = isinstance(stored, np.ndarray) and not isinstance(stored, np.memmap)
    if preparation.device.type != "cpu" or not in_memory:
        return AHEAD
    return AHEAD if preparation.augmentation != Augmentation() and torch.get_num_threads() > 1 else 0


class Loader:
    """One pass over the samples in an order of the generator's; `waited` is what it cost its user in seconds.

    An error of the preparation is raised where its batch is taken. `ahead` batches are prepared ahead (None:
    as many as `ahead_for` says); with 0 each is prepared when it is asked for. Batches before the number
    `first` are left out.
    """

    def __init__(
        self,
        preparation: Preparation,
        batch_size: int,
        *,
        generator: torch.Generator,
        ahead: int | None = None,
        first: int = 0,
    ) -> None:
        self.waited = 0.0
        self._preparation = preparation
        chosen = choices(len(preparation.samples), batch_size, generator=generator)
        self._numbered = list(enumerate(chosen))[first:]
        self._ahead = ahead_for(preparation) if ahead is None else ahead

    def __len__(self) -> int:
        return len(self._numbered)

    def __iter__(self) -> Generator[Batch]:
        rests = self._begun_ahead() if self._ahead else self._begun_when_asked()
        try:
            while (batch := self._timed(rests)) is not None:
                yield batch
        finally:
            rests.close()

    def _timed(self, rests: Iterator[Callable[[], Batch]]) -> Batch | None:
        began = time.perf_counter()
        try:
            rest = next(rests, None)
            return rest() if rest else None
        finally:
            self.waited += time.perf_counter() - began

    def _begun_when_asked(self) -> Rests:
        for number, chosen_B in self._numbered:
            yield self._preparation.begun(number, chosen_B)

    def _begun_ahead(self) -> Rests:
        """The same from a thread; whoever stops early waits for the batch in preparation only."""
        numbered = iter(self._numbered)
        with ThreadPoolExecutor(1, thread_name_prefix="loader") as thread:
            pending = deque(
                thread.submit(self._preparation.begun, *one) for one in islice(numbered, self._ahead)
            )
            try:
                while pending:
                    rest = pending.popleft().result()
                    pending.extend(
                        thread.submit(self._preparation.begun, *one) for one in islice(numbered, 1)
                    )
                    yield rest
            finally:
                for future in pending:
                    future.cancel()
