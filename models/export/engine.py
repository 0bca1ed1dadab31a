"""Runs an integer network on whole numbers alone, as fast as float tensors can carry them.

float32 holds every whole number up to 2^24 and float64 up to 2^53, and adds and multiplies them exactly as
long as the results stay below. `bounds` proves for each layer how large its numbers become on any sample:

    op(n_t, w)       in bytes with 32-bit sums, in float32 or in float64 (`arithmetic`)
    potentials       in float64, below 2^51: floor((2u + V) / (2V)) is exact, since a quotient a / b that is
                     no whole number lies at least 1 / b below the next one, which is more than float64 rounds
                     off while a + b < 2^53
    sums of a mean   in 64-bit integers
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod

import torch

from models.errors import InvalidInputError
from models.export.arithmetic import operation_of, whole_levels
from models.export.bounds import LayerBounds, bounds_of
from models.export.integers import Export, LayerIntegers
from models.export.nodes import INPUT, AddNode, LayerNode, Node
from models.export.operations import add, regroup, without_neuron
from models.functional.levels import levels_at

Watch = Callable[[LayerNode, int, torch.Tensor, torch.Tensor], None]
"""Told of a layer, a step, its potentials (float64) and its levels (float32), [B, ...] each."""
CHUNK_VALUES = 2**18
"""Values of the largest map that are computed at once, so that they stay in a processor's cache."""


class IntegerNetwork:
    """An export that can be run; [B, C, H, W] or [F, B, C, H, W] scaled samples to whole logits [B, K]."""

    def __init__(self, export: Export) -> None:
        self.export = export
        self.edges = export.edges
        self.bounds, _ = bounds_of(export.nodes, self.edges, export.integers, export.input.limit)
        self.layers = {
            node.name: _Layer(
                node,
                export.integers[node.name],
                self.bounds[node.name],
                framed=self.edges[node.name].frames > 0,
            )
            for node in export.layers
        }

    @torch.inference_mode()
    def logits(self, x: torch.Tensor, watch: Watch | None = None) -> torch.Tensor:
        """Whole logits, int64 [B, K], in units of 2^-F; added up over the frames of event data.

        Raises InvalidInputError where a sample has another shape, or values that are no numbers or too large.
        """
        self._check(x)
        axis = 1 if self.export.input.frames else 0
        return torch.cat([self._run(part, watch) for part in torch.split(x, self._chunk(), axis)])

    def _run(self, x: torch.Tensor, watch: Watch | None) -> torch.Tensor:
        values = {INPUT: self._currents(x)}
        for node in self.export.nodes:
            values[node.name] = self._apply(node, values, watch)
        found = values[self.export.nodes[-1].name].long()
        return found.sum(0) if self.export.input.frames else found

    def _apply(self, node: Node, values: Mapping[str, torch.Tensor], watch: Watch | None) -> torch.Tensor:
        if isinstance(node, LayerNode):
            return self.layers[node.name](values[node.source], watch)
        if isinstance(node, AddNode):
            framed = self.edges[node.name].frames > 0
            return add(values[node.branch], values[node.shortcut], framed=framed)
        return without_neuron(node, values[node.source], dims=len(self.edges[node.source].shape))

    def _check(self, x: torch.Tensor) -> None:
        given = self.export.input
        wanted = (given.frames, *given.shape) if given.frames else given.shape
        found = (len(x), *x.shape[2:]) if given.frames else tuple(x.shape[1:])
        if found != wanted:
            raise InvalidInputError(f"samples are {list(found)}; the network takes {list(wanted)}.")

    def _currents(self, x: torch.Tensor) -> torch.Tensor:
        """r(x * 2^F) as float64, exactly: a float32 that is halved or doubled keeps its digits."""
        scaled = x.double() * 2.0**self.export.fraction_bits
        whole = torch.add(scaled.abs(), 0.5 - 2.0**-54).floor_().copysign_(scaled)
        if not bool((whole.abs() <= self.export.input.limit).all()):
            limit = self.export.input.limit / 2**self.export.fraction_bits
            raise InvalidInputError(f"a sample has a value that is no number or beyond {limit:g}.")
        if whole.dim() == 4:
            return whole.contiguous(memory_format=torch.channels_last)
        return whole

    def _chunk(self) -> int:
        """Samples that are run at once."""
        largest = max(prod(edge.shape) * max(1, edge.frames) for edge in self.edges.values())
        return max(1, CHUNK_VALUES // largest)


class _Layer:
    """One layer's numbers as tensors, and its form of arithmetic."""

    def __init__(self, node: LayerNode, numbers: LayerIntegers, bounds: LayerBounds, *, framed: bool) -> None:
        self.node = node
        self.framed = framed
        self.thresholds = [float(V) for V in numbers.threshold_T]
        self.levels = [levels_at(bits, signed=node.signed) for bits in node.spike_bits]
        ones = [1] * (2 if node.op == "conv" else 0)
        self.multipliers = torch.from_numpy(numbers.multiplier_TO).double().view(node.steps, -1, *ones)
        self.bias = torch.from_numpy(numbers.bias_O).double().view(-1, *ones)
        weight = None if numbers.levels is None else torch.from_numpy(numbers.levels)
        self.operate = operation_of(node, weight, self.levels, max(bounds.sums_T))

    def __call__(self, current: torch.Tensor, watch: Watch | None) -> torch.Tensor:
        """The layer's output current."""
        if self.framed:
            current = regroup(current, self.node.steps)
        outputs = [
            self.operate(n).double().mul_(scale)
            for n, scale in zip(self._spikes(current, watch), self.multipliers, strict=True)
        ]
        if self.framed:
            return torch.stack(outputs).add_(self.bias)
        total = outputs[0].add_(self.bias)
        for output in outputs[1:]:
            total += output
        return total

    def _spikes(self, current: torch.Tensor, watch: Watch | None) -> list[torch.Tensor]:
        found = []
        rest: torch.Tensor | None = None
        for step, (V, levels) in enumerate(zip(self.thresholds, self.levels, strict=True)):
            x = current[step] if self.framed else current
            u = x if rest is None else x + rest
            n = whole_levels(u, V, levels)
            if watch is not None:
                watch(self.node, step, u, n.float())
            found.append(n.to(self.operate.dtype))
            if step + 1 < self.node.steps:
                rest = torch.sub(u, n, alpha=V)
        return found
