"""The passes of `passes`, compiled with the machine's own C compiler, as the training kernel is (engine.c).

A current that a convolution of bytes makes comes with it, in the same call (`convolution`).
"""

from __future__ import annotations

import ctypes
import functools
import logging
import struct
from dataclasses import replace
from pathlib import Path

import torch

from models.export.arithmetic import NoOperation
from models.export.convolution import ConvolutionOperation, Reader, Scales
from models.export.nodes import MAP_DIMS
from models.export.passes import Passes, TorchPasses
from models.export.pending import Pending
from models.functional.kernels import build

SOURCE = Path(__file__).with_name("engine.c")
STEP = struct.Struct("@3di4x")
"""`step_plan` of neuron.h."""
SUMS = struct.Struct("@3Pq4i")
"""`sums_plan` of engine.c."""
BLOCK = 1024
"""Channels that one pass over sums and spikes can have, as in neuron.h."""
TYPES = {torch.uint8: 0, torch.float32: 1, torch.float64: 2}

logger = logging.getLogger(__name__)


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
        current = None
        if keep:
            current = shortcut if pending.spent else source._room("currents", shape, torch.float64)
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
        return (len(pending.n) // self.steps, *operation.shape_of(pending.n))

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
