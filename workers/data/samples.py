"""Samples as stored, scaled a batch at a time.

    unit(x)  = x / 255 for bytes, x for floats
    scale(x) = (unit(x) - mean_C) / max(deviation_C, LEAST_DEVIATION)

Mean and deviation are those of the training samples, one per channel. Only the batch that is asked for is
turned into 32-bit floats, so a data set of bytes takes a byte per value, or none where it is memory-mapped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

LEAST_DEVIATION = 1e-6
GREATEST_BYTE = 255
CHUNK = 1_000
"""Samples that are looked at together where all are, so that floats of only so many are in memory."""
STREAMED_STATISTICS = 1_024
"""Streamed samples, spread evenly, from which mean and deviation are taken: decoding all takes hours."""


class Streamed(Protocol):
    """Samples that are made (read, decoded) when they are asked for, and are never all in memory."""

    @property
    def shape(self) -> tuple[int, ...]:
        """[N, C, H, W], or [N, F, C, H, W] for event data."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """uint8 or float32."""

    def __getitem__(self, places_B: NDArray[np.intp]) -> NDArray[Any]:
        """The samples at those places. Raises DataDamagedError."""

    def identity(self, places_B: NDArray[np.intp]) -> bytes:
        """What changes whenever one of these samples does (names, sizes and times of files)."""


Stored = NDArray[Any] | Streamed
"""In memory or memory-mapped (NumPy's `memmap`), or streamed."""
Moments = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Mean and mean squared deviation of every channel, [C] each."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scaling:
    """What is taken from a sample and what it is then divided by, float32 [C, 1, 1]."""

    mean_C11: torch.Tensor  # noqa: N815 - the letters are the axes
    scale_C11: torch.Tensor  # noqa: N815 - the letters are the axes

    def apply(self, unit: torch.Tensor) -> torch.Tensor:
        """Samples [..., C, H, W] scaled; the argument stays as it is."""
        return unit.sub(self.mean_C11).div_(self.scale_C11)

    def on(self, device: torch.device) -> Scaling:
        """The same for samples on a device."""
        return Scaling(mean_C11=self.mean_C11.to(device), scale_C11=self.scale_C11.to(device))


@dataclass(frozen=True, kw_only=True, slots=True)
class Samples:
    """A split: places in a stored data set that it may share with other splits, and classes, int64 [N]."""

    stored: Stored
    places_N: NDArray[np.intp]  # noqa: N815 - the letters are the axes
    y_N: torch.Tensor  # noqa: N815 - the letters are the axes
    scaling: Scaling

    def __len__(self) -> int:
        return len(self.y_N)

    def take(self, chosen_B: torch.Tensor) -> torch.Tensor:
        """The samples at those places of the split, ready for a network.

        Float32 [B, C, H, W], or [F, B, C, H, W] for event data. Raises DataDamagedError where they are
        streamed from files that are damaged.
        """
        return self.scaling.apply(unit(self.gather(chosen_B)))

    def gather(self, chosen_B: torch.Tensor) -> torch.Tensor:
        """The samples at those places as stored, uint8 or float32; frames first for event data."""
        found = torch.from_numpy(_stored_type(self.stored[self.places_N[chosen_B.numpy()]]))
        return found.transpose(0, 1).contiguous() if found.dim() == 5 else found


def unit(stored: torch.Tensor) -> torch.Tensor:
    """Bytes as 0 to 1, float32; floats as they are."""
    if stored.dtype != torch.uint8:
        return stored
    # A divisor that is a tensor: some devices multiply by the reciprocal of a number, which rounds otherwise.
    return stored.float().div_(torch.full((), float(GREATEST_BYTE), device=stored.device))


def scaling_of(stored: Stored, places_N: NDArray[np.intp]) -> Scaling:
    """Mean and deviation of every channel over the samples at those places, over all frames and pixels."""
    if not isinstance(stored, np.ndarray):
        stored = stored[_spread(places_N, STREAMED_STATISTICS)]
        places_N = np.arange(len(stored))
    moments = _moments_of_bytes if stored.dtype == np.uint8 else _moments_of_floats
    mean_C, square_C = moments(stored, places_N)
    least = np.float32(LEAST_DEVIATION)
    return Scaling(
        mean_C11=_column(mean_C.astype(np.float32)),
        scale_C11=_column(np.maximum(np.sqrt(square_C).astype(np.float32), least)),
    )


def chunks(stored: Stored, places_N: NDArray[np.intp]) -> Iterator[NDArray[Any]]:
    """The samples at those places in order, a part at a time; bytes, or 32-bit floats."""
    for start in range(0, len(places_N), CHUNK):
        yield _stored_type(stored[places_N[start : start + CHUNK]])


def _stored_type(found: NDArray[Any]) -> NDArray[Any]:
    return found if found.dtype == np.uint8 else found.astype(np.float32, copy=False)


def _spread(places_N: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    return places_N[np.linspace(0, len(places_N) - 1, min(count, len(places_N))).astype(np.intp)]


def _moments_of_bytes(stored: NDArray[Any], places_N: NDArray[np.intp]) -> Moments:
    """Counted: each of the 256 values is scaled as `unit` does, and weighs as much as it is often."""
    counts_CV = np.zeros((stored.shape[-3], GREATEST_BYTE + 1), dtype=np.int64)
    for chunk in chunks(stored, places_N):
        for channel, bytes_V in enumerate(np.moveaxis(chunk, -3, 0)):
            above_zero = bytes_V[bytes_V > 0]  # most counts of events are 0, and those are counted faster so
            counts_CV[channel] += np.bincount(above_zero, minlength=GREATEST_BYTE + 1)
            counts_CV[channel, 0] += bytes_V.size - above_zero.size
    values_V = (np.arange(GREATEST_BYTE + 1, dtype=np.float32) / np.float32(GREATEST_BYTE)).astype(np.float64)
    shares_CV = counts_CV / counts_CV.sum(axis=1, keepdims=True)
    mean_C = shares_CV @ values_V
    return mean_C, (shares_CV * (values_V - mean_C[:, None]) ** 2).sum(axis=1)


def _moments_of_floats(stored: NDArray[Any], places_N: NDArray[np.intp]) -> Moments:
    mean_C = _mean(_channels(chunk) for chunk in chunks(stored, places_N))
    return mean_C, _mean((_channels(chunk) - mean_C) ** 2 for chunk in chunks(stored, places_N))


def _channels(chunk: NDArray[Any]) -> NDArray[np.float64]:
    """The values as float64 [values, C]."""
    return np.moveaxis(chunk, -3, -1).reshape(-1, chunk.shape[-3]).astype(np.float64)


def _mean(parts: Iterator[NDArray[np.float64]]) -> NDArray[np.float64]:
    """The mean over the rows of all parts."""
    total: NDArray[np.float64] | float = 0.0
    rows = 0
    for part in parts:
        total, rows = total + part.sum(axis=0), rows + len(part)
    return np.asarray(total / rows)


def _column(values_C: NDArray[np.float32]) -> torch.Tensor:
    return torch.from_numpy(values_C.reshape(-1, 1, 1))
