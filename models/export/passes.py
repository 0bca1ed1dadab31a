"""The passes of a layer beside its operation: spikes from a current, a current from sums, or both (engine.c).

Compiled with the machine's own C compiler, as the training kernel is; in plain torch where there is none.
Both compute on whole numbers exactly, so they give the same.
"""

from __future__ import annotations

import ctypes
import functools
import logging
import struct
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import torch

from models.export.arithmetic import NoOperation, whole_levels
from models.export.convolution import ConvolutionOperation, Reader, Scales
from models.export.fixed_point import leaked
from models.export.nodes import MAP_DIMS, NO_LEAK
from models.export.pending import Pending
from models.functional.kernels import build
from models.functional.levels import Levels

SOURCE = Path(__file__).with_name("engine.c")
STEP = struct.Struct("@3di4x")
"""`step_plan` of engine.c."""
SUMS = struct.Struct("@3Pq4i")
"""`sums_plan` of engine.c."""
BLOCK = 1024
"""Channels that one pass over sums and spikes can have, as in engine.c."""
TYPES = {torch.uint8: 0, torch.float32: 1, torch.float64: 2}

logger = logging.getLogger(__name__)


class Passes(Protocol):
    """Of one layer: its thresholds, levels, multipliers and bias. Steps, frames and samples are one axis."""

    def spikes(self, current: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """[B, ...], or [T B, ...] of frames, to levels [T B, ...]."""

    def currents(self, sums: torch.Tensor) -> torch.Tensor:
        """[T B, O, ...] to [B, O, ...], or to [T B, O, ...] of frames; float64."""

    def current(self, pending: Pending) -> torch.Tensor:
        """The current of this layer that is not computed yet, [B, O, ...]; float64."""

    def carried(
        self, pending: Pending, dtype: torch.dtype, *, keep: bool
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """A current without frames, empty unless it is to be kept, and the levels [T B, ...] that follow."""


class TorchPasses:
    """See `Passes`. No `shifts`: there are none; `leak` is in units of 2^-LEAK_BITS."""

    def __init__(
        self,
        *,
        thresholds: list[float],
        levels: list[Levels],
        multiplier_TO: torch.Tensor,
        bias_O: torch.Tensor,
        framed: bool,
        shifts: list[float] | None = None,
        leak: int = NO_LEAK,
    ) -> None:
        self.thresholds = thresholds
        self.levels = levels
        self.shifts = shifts or [0.0] * len(thresholds)
        self.leak = leak
        self.multiplier_TO = multiplier_TO
        self.bias_O = bias_O
        self.framed = framed

    @property
    def steps(self) -> int:
        """T."""
        return len(self.thresholds)

    def spikes(self, current: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """See `Passes`."""
        found: list[torch.Tensor] = []
        x_T = current.chunk(self.steps) if self.framed else [current] * self.steps
        left = torch.zeros_like(x_T[0])
        for x, V, levels, shift in zip(x_T, self.thresholds, self.levels, self.shifts, strict=True):
            u = left + x - shift
            n = whole_levels(u, V, levels)
            found.append(n.to(dtype))
            left = torch.sub(u, n, alpha=V)
            if self.leak != NO_LEAK:
                left = leaked(left.long(), self.leak).double()
        return torch.cat(found)

    def currents(self, sums: torch.Tensor) -> torch.Tensor:
        """See `Passes`."""
        after = [1] * (sums.dim() - 2)
        outputs = [
            part.double() * scale.view(-1, *after)
            for part, scale in zip(sums.chunk(self.steps), self.multiplier_TO, strict=True)
        ]
        bias = self.bias_O.view(-1, *after)
        if self.framed:
            return torch.cat([output.add_(bias) for output in outputs])
        total: torch.Tensor = outputs[0].add_(bias)
        for output in outputs[1:]:
            total += output
        return total

    def current(self, pending: Pending) -> torch.Tensor:
        """See `Passes`."""
        found = self.currents(pending.operation(pending.n))
        return found if pending.shortcut is None else found.add_(pending.shortcut)

    def carried(
        self, pending: Pending, dtype: torch.dtype, *, keep: bool
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """See `Passes`."""
        current = pending.current()
        return current, self.spikes(current, dtype)


class CompiledPasses(TorchPasses):
    """See `Passes`. What it gives lies in memory that its next call uses again: fresh pages take longer to
    map than a pass takes to fill them.
    """

    def __init__(self, library: ctypes.CDLL, form: TorchPasses) -> None:
        super().__init__(
            thresholds=form.thresholds,
            levels=form.levels,
            multiplier_TO=form.multiplier_TO.contiguous(),
            bias_O=form.bias_O.contiguous(),
            framed=form.framed,
            shifts=form.shifts,
            leak=form.leak,
        )
        self.library = library
        self.scales = Scales.of(self.multiplier_TO, self.bias_O)
        self.kept: dict[str, torch.Tensor] = {}
        self.plan = b"".join(
            STEP.pack(V, levels.high, shift, 2 * levels.signed + levels.binary)
            for V, levels, shift in zip(self.thresholds, self.levels, self.shifts, strict=True)
        )

    @property
    def channels(self) -> int:
        """Channels that have a multiplier of their own."""
        return self.multiplier_TO.shape[1]

    def spikes(self, current: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """See `Passes`."""
        current = _dense(current)
        samples = len(current) if self.framed else len(current) * self.steps
        found = self._room("spikes", (samples, *current.shape[1:]), dtype)
        count = current.numel() // (self.steps if self.framed else 1)
        self.library.bitfront_spikes(
            current.data_ptr(),
            found.data_ptr(),
            count,
            self.steps,
            self.framed,
            TYPES[dtype],
            self.plan,
            self.leak,
            torch.get_num_threads(),
        )
        return found

    def currents(self, sums: torch.Tensor) -> torch.Tensor:
        """See `Passes`."""
        if sums.shape[1] != self.channels:
            return super().currents(sums)  # spikes alone: one multiplier for every channel
        sums = _dense(sums)
        samples = len(sums) if self.framed else len(sums) // self.steps
        found = self._room("currents", (samples, *sums.shape[1:]), torch.float64)
        pixels, threads = sums.numel() // self.steps // sums.shape[1], torch.get_num_threads()
        self.library.bitfront_currents(self._sums_plan(sums), found.data_ptr(), pixels, threads)
        return found

    def current(self, pending: Pending) -> torch.Tensor:
        """See `Passes`."""
        operation = pending.operation
        if not isinstance(operation, ConvolutionOperation):
            return super().current(pending)
        found = self._room("currents", self._shape_of(pending, operation), torch.float64)
        operation.carry(pending.n, self.scales, shortcut=_shortcut_of(pending), currents=found)
        return found

    def carried(
        self, pending: Pending, dtype: torch.dtype, *, keep: bool
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """See `Passes`."""
        source, operation = pending.passes, pending.operation
        if not isinstance(source, CompiledPasses):
            return super().carried(pending, dtype, keep=keep)
        if isinstance(operation, ConvolutionOperation):
            return self._convolved(pending, source, operation, dtype, keep=keep)
        return self._summed(pending, source, dtype, keep=keep)

    def _convolved(
        self,
        pending: Pending,
        source: CompiledPasses,
        operation: ConvolutionOperation,
        dtype: torch.dtype,
        *,
        keep: bool,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """`carried` from the levels that the source reads."""
        shape, shortcut = source._shape_of(pending, operation), _shortcut_of(pending)
        room = shortcut if pending.spent else source._room("currents", shape, torch.float64) if keep else None
        current = room if keep else None
        spikes = self._room("spikes", (shape[0] * self.steps, *shape[1:]), dtype)
        reader = Reader(plan=self.plan, steps=self.steps, leak=self.leak, type=TYPES[dtype], spikes=spikes)
        operation.carry(pending.n, source.scales, shortcut=shortcut, currents=current, reader=reader)
        return torch.empty(0) if current is None else current, spikes

    def _summed(
        self, pending: Pending, source: CompiledPasses, dtype: torch.dtype, *, keep: bool
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """`carried` from the sums of the source."""
        sums = _dense(pending.operation(pending.n))
        channels = sums.shape[1]
        if source.channels != channels or channels > BLOCK:
            summed = replace(pending, operation=NoOperation(), n=sums)
            return super().carried(summed, dtype, keep=keep)
        samples, sample = len(sums) // source.steps, sums.shape[1:]
        shortcut = _shortcut_of(pending)
        current = source._room("currents", (samples, *sample), torch.float64) if keep else torch.empty(0)
        spikes = self._room("spikes", (samples * self.steps, *sample), dtype)
        self.library.bitfront_carried(
            source._sums_plan(sums),
            None if shortcut is None else shortcut.data_ptr(),
            current.data_ptr() if keep else None,
            spikes.data_ptr(),
            sums.numel() // source.steps // channels,
            self.steps,
            TYPES[dtype],
            self.plan,
            self.leak,
            torch.get_num_threads(),
        )
        return current, spikes

    def _shape_of(self, pending: Pending, operation: ConvolutionOperation) -> tuple[int, ...]:
        """Of the current."""
        return (len(pending.n) // self.steps, operation.outputs, *operation.sides(pending.n))

    def _sums_plan(self, sums: torch.Tensor) -> bytes:
        pointers = (sums.data_ptr(), self.multiplier_TO.data_ptr(), self.bias_O.data_ptr())
        apart, doubles = sums.numel() // self.steps, sums.dtype == torch.float64
        return SUMS.pack(*pointers, apart, sums.shape[1], self.steps, self.framed, doubles)

    def _room(self, use: str, shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
        kept = self.kept.get(use)
        if kept is None or kept.shape != shape or kept.dtype != dtype:
            kept = self.kept[use] = _empty(shape, dtype)
        return kept


def passes_of(form: TorchPasses) -> Passes:
    """The compiled form where it can be had."""
    library = compiled()
    return form if library is None else CompiledPasses(library, form)


@functools.cache
def compiled() -> ctypes.CDLL | None:
    """The library; None where it cannot be built, which is said once."""
    try:
        library = build.load(SOURCE)
    except build.BuildError as error:
        logger.warning("The engine of exports cannot be compiled: %s. It runs in plain torch.", error)
        return None
    address, whole, wide = ctypes.c_void_p, ctypes.c_int32, ctypes.c_int64
    library.bitfront_spikes.argtypes = [
        *(address, address, wide, whole, whole, whole, ctypes.c_char_p),
        *(wide, whole),
    ]
    library.bitfront_spikes.restype = None
    library.bitfront_currents.argtypes = [ctypes.c_char_p, address, wide, whole]
    library.bitfront_currents.restype = None
    library.bitfront_carried.argtypes = [
        *(ctypes.c_char_p, address, address, address, wide, whole, whole),
        *(ctypes.c_char_p, wide, whole),
    ]
    library.bitfront_carried.restype = None
    return library


def _shortcut_of(pending: Pending) -> torch.Tensor | None:
    """Dense, in float64."""
    return None if pending.shortcut is None else _dense(pending.shortcut.double())


def _dense(tensor: torch.Tensor) -> torch.Tensor:
    """Channels innermost, without gaps."""
    maps = tensor.dim() == MAP_DIMS
    return tensor.contiguous(memory_format=torch.channels_last if maps else torch.contiguous_format)


def _empty(shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
    maps = len(shape) == MAP_DIMS
    order = torch.channels_last if maps else torch.contiguous_format
    return torch.empty(shape, dtype=dtype, memory_format=order)
