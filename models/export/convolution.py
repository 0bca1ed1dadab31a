"""Convolutions of bytes that read all steps at once and end in currents or spikes (convolution.c).

Where a processor adds up four products in 32 bits, nothing more is needed. Elsewhere sums are of 16 bits.
With Q the highest level and w the weights of an output channel, the partial sums of `run` quads stay within

    Q * max(sum of w > 0, sum of -w < 0) <= 2^15 - 1

in each of the two halves of the quads, in whatever order; how long a run may be is found by halving, from
the weights themselves, of which few are as heavy as their bits allow. So nothing is rounded or clipped, and
what comes out is what 64-bit integers give.
"""

from __future__ import annotations

import ctypes
import functools
import struct
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.nn import functional

from models.export.nodes import LayerNode
from models.export.shapes import convolved_sides
from models.functional.kernels import build

SOURCE = Path(__file__).with_name("convolution.c")
WINDOWS = struct.Struct("@2P16i")
"""`window_plan` of convolution.c."""
CARRY = struct.Struct("@7Pq4i")
"""`carry_plan` of convolution.c."""
QUAD, OUTPUTS = 4, 16
"""As in convolution.c."""
GREATEST_SUM = 2**15 - 1
BAND_BYTES = 24 * 1024
"""Of the padded bands of all steps: they stay in the first-level cache beside a block of weights."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scales:
    """Multipliers M [T, O] and the bias b [O] of a layer, float64, filled up to whole blocks of outputs."""

    multiplier_TO: torch.Tensor  # noqa: N815 - the letters are the axes
    bias_O: torch.Tensor  # noqa: N815 - the letter is the axis

    @classmethod
    def of(cls, multiplier_TO: torch.Tensor, bias_O: torch.Tensor) -> Scales:
        """Those of so many outputs as there are."""
        more = (0, -len(bias_O) % OUTPUTS)
        return cls(multiplier_TO=functional.pad(multiplier_TO, more), bias_O=functional.pad(bias_O, more))


@dataclass(frozen=True, kw_only=True, slots=True)
class Reader:
    """The neuron that reads the currents: its `step_plan`s (neuron.h), and where its levels [T B, ...] go."""

    plan: bytes
    steps: int
    leak: int
    type: int
    spikes: torch.Tensor


class ConvolutionOperation:
    """A convolution of bytes, without groups. Raises ValueError where a sum of two products may leave 16
    bits on a processor without sums of 32, or where the processor or the compiler lacks it.
    """

    dtype = torch.uint8

    def __init__(self, node: LayerNode, levels: torch.Tensor, highest: int) -> None:
        quads, library = quads_of(levels), compiled()
        self.run = run_of(quads, highest)
        if library is None or not self.run or node.geometry.groups > 1:
            raise ValueError("this convolution has no such form")
        self.library = library
        self.geometry = node.geometry
        self.kernel = levels.shape[2], levels.shape[3]
        self.channels, self.outputs = levels.shape[1], levels.shape[0]
        self.weights = blocks_of(quads)
        self.kept = torch.empty(0)
        self.plan_of = functools.lru_cache(maxsize=1)(self._plan_of)

    def __call__(self, n: torch.Tensor) -> torch.Tensor:
        """op(n, w) for n in bytes, channels last; in memory that the next call uses again."""
        shape = (len(n), *self.shape_of(n))
        if self.kept.shape != shape:
            self.kept = torch.empty(shape, memory_format=torch.channels_last)
        self._run(n, 1, CARRY.pack(self.kept.data_ptr(), *[0] * 7, 1, 0, 0, 0))
        return self.kept

    def carry(
        self,
        n: torch.Tensor,
        scales: Scales,
        *,
        shortcut: torch.Tensor | None = None,
        currents: torch.Tensor | None = None,
        reader: Reader | None = None,
    ) -> None:
        """From the levels [T B, ...] of all steps to the currents [B, O, ...], to the levels of their reader,
        or to both. All lie dense, channels last; the shortcut and the currents in float64.
        """
        steps = len(scales.multiplier_TO)
        made = [_place(each) for each in (scales.multiplier_TO, scales.bias_O, shortcut, currents)]
        read = (0, 0, 0) if reader is None else (_place(reader.spikes), _address(reader.plan), reader.leak)
        counts = (steps, 0, 0) if reader is None else (steps, reader.steps, reader.type)
        self._run(n, steps, CARRY.pack(0, *made, *read, *counts, 0))

    def shape_of(self, n: torch.Tensor) -> tuple[int, ...]:
        """Of what comes out for a sample, [O, H, W]."""
        return self.outputs, *convolved_sides(self.geometry, self.kernel, n.shape[2:])

    def _run(self, n: torch.Tensor, steps: int, carry: bytes) -> None:
        n = n.contiguous(memory_format=torch.channels_last)
        plan, _ = self.plan_of(n.shape[2], n.shape[3], steps, torch.get_num_threads())
        if self.library.bitfront_convolution(plan, carry, n.data_ptr(), len(n) // steps):
            raise MemoryError("no memory for a band of a map")

    def _plan_of(self, height: int, width: int, steps: int, threads: int) -> tuple[bytes, torch.Tensor]:
        """The plan, and the offsets that it points to."""
        moves, (high, wide) = self.geometry, self.kernel
        held = -(-self.channels // QUAD) * QUAD
        row = (width + 2 * moves.padding[1]) * held
        reach = moves.dilation[0] * (high - 1) + 1
        down, right = convolved_sides(moves, self.kernel, (height, width))
        band = max(1, min(down, (BAND_BYTES // steps // row - reach) // moves.stride[0] + 1))
        rows = torch.arange(high) * moves.dilation[0] * row
        places = torch.arange(wide) * moves.dilation[1] * held
        offsets = rows[:, None, None] + places[:, None] + torch.arange(0, held, QUAD)
        offsets = offsets.flatten()
        plan = WINDOWS.pack(
            *(offsets.data_ptr(), self.weights.data_ptr()),
            *(len(offsets), self.run, self.outputs, self.channels, held, threads),
            *(height, width, down, right, reach, band),
            *(*moves.stride, *moves.padding),
        )
        return plan, offsets


def quads_of(levels_OCHW: torch.Tensor) -> torch.Tensor:
    """[O, quads, 4], a window's rows outermost; channels that fill up the last quad weigh nothing."""
    channels = levels_OCHW.shape[1]
    held = functional.pad(levels_OCHW.permute(0, 2, 3, 1), (0, -channels % QUAD))
    return held.reshape(len(held), -1, QUAD)


def blocks_of(quads: torch.Tensor) -> torch.Tensor:
    """[O / 16, quads, 16, 4] in bytes, outputs filled up with zeros."""
    filled = functional.pad(quads, (0, 0, 0, 0, 0, -len(quads) % OUTPUTS))
    return filled.to(torch.int8).reshape(-1, OUTPUTS, *quads.shape[1:]).transpose(1, 2).contiguous()


def run_of(quads: torch.Tensor, highest: int) -> int:
    """How many quads may be summed in 16 bits: all, half, half of that and so on; 0 where not even one."""
    halves = quads.long().reshape(*quads.shape[:2], 2, 2) * highest
    run = quads.shape[1]
    while run > 1 and _greatest(halves, run) > GREATEST_SUM:
        run = -(-run // 2)
    return run if _greatest(halves, run) <= GREATEST_SUM else 0


def _greatest(halves: torch.Tensor, run: int) -> int:
    """The greatest magnitude of any partial sum of a half of `run` quads."""
    filled = functional.pad(halves, (0, 0, 0, 0, 0, -halves.shape[1] % run))
    filled = filled.reshape(len(halves), -1, run, 2, 2)
    up, down = filled.clamp(min=0).sum((2, 4)), filled.clamp(max=0).sum((2, 4))
    return int(torch.maximum(up, -down).max())


def is_best(levels_OCHW: torch.Tensor) -> bool:
    """Whether these weights are convolved fastest so on this processor."""
    library = compiled()
    return library is not None and bool(library.bitfront_convolution_is_best(quads_of(levels_OCHW).shape[1]))


@functools.cache
def compiled() -> ctypes.CDLL | None:
    """The library, where it can be built and this processor has its instructions."""
    try:
        library = build.load(SOURCE)
    except build.BuildError:
        return None  # said by `compiled_passes`, which needs the same compiler
    if not hasattr(library, "bitfront_convolution"):
        return None
    plan, address, whole = ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int64
    library.bitfront_convolution.argtypes = [plan, plan, address, whole]
    return library


def _place(tensor: torch.Tensor | None) -> int:
    return 0 if tensor is None else tensor.data_ptr()


def _address(plan: bytes) -> int:
    """Of the bytes themselves, which live as long as their owner."""
    return ctypes.cast(ctypes.c_char_p(plan), ctypes.c_void_p).value or 0
