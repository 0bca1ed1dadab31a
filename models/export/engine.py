"""Runs an integer network on whole numbers alone, as fast as float tensors can carry them.

float32 holds every whole number up to 2^24 and float64 up to 2^53, and adds and multiplies them exactly as
long as the results stay below. `bounds` proves for each layer how large its numbers become on any sample:

    op(n_t, w)       in bytes with 32-bit sums or 16-bit ones, in float32 or in float64 (`arithmetic`)
    potentials       in float64, below 2^51: floor((2u + V) / (2V)) is exact, since a quotient a / b that is
                     no whole number lies at least 1 / b below the next one, which is more than float64 rounds
                     off while a + b < 2^53
    sums of a mean   in 64-bit integers
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod

import torch

from models.errors import InvalidInputError
from models.export.arithmetic import operate, operation_of
from models.export.attention import attended
from models.export.bounds import LayerBounds, bounds_of
from models.export.compiled_passes import passes_of
from models.export.integers import Export, LayerIntegers
from models.export.nodes import MAP_DIMS, AddNode, AttentionNode, LayerNode, Node, inputs_of
from models.export.operations import regroup, without_neuron
from models.export.passes import TorchPasses
from models.export.pending import Currents, Pending
from models.export.shapes import Edge, scores_of
from models.functional.levels import levels_at

Watch = Callable[[LayerNode, torch.Tensor, list[torch.Tensor]], None]
"""Told of a layer, its current (float64; of event data as regrouped) and its levels at each step [B, ...]."""
SUM_BYTES = 4
CHUNK_BYTES = 2**22
"""Of the levels that are computed at once, or of frames of their sums, four bytes each: what caches hold."""


class IntegerNetwork:
    """An export that can be run; [B, C, H, W] or [F, B, C, H, W] scaled samples to whole logits [B, K].

    Its layers keep their memory from one batch to the next, so two threads must not share one.
    """

    def __init__(self, export: Export) -> None:
        self.export = export
        self.edges = export.edges
        self.bounds, _ = bounds_of(
            export.nodes, self.edges, export.integers, export.input.limit, export.attentions
        )
        self.own = frozenset(node.name for node in export.nodes if _owns_memory(node))
        self.readers = readers_of(export.nodes)
        self.layers = {
            node.name: _Layer(
                node,
                export.integers[node.name],
                self.bounds[node.name],
                self.edges[node.source],
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
        values = Currents(self._currents(x), self.readers)
        for node in self.export.nodes:
            values[node.name] = self._apply(node, values, watch)
        found = values[self.export.nodes[-1].name].long()
        return found.sum(0) if self.export.input.frames else found

    def _apply(self, node: Node, values: Currents, watch: Watch | None) -> torch.Tensor | Pending:
        if isinstance(node, LayerNode):
            return self.layers[node.name](values, watch)
        if isinstance(node, AddNode):
            framed = self.edges[node.name].frames > 0
            return values.sum_of(node, framed=framed, own=self.own if watch is None else frozenset())
        if isinstance(node, AttentionNode):
            return self._attended(node, values)
        return without_neuron(node, values[node.source], dims=len(self.edges[node.source].shape))

    def _attended(self, node: AttentionNode, values: Currents) -> torch.Tensor:
        numbers, frames = self.export.attentions[node.name], self.edges[node.name].frames
        operands = [values[name].unbind() for name in inputs_of(node)]
        terms = zip(numbers.terms_K4.tolist(), numbers.multiplier_K.tolist(), strict=True)
        found = attended(operands, node.heads, ((tuple(term), float(M)) for term, M in terms), max(1, frames))
        return found if frames else found[0]

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
        if whole.dim() == MAP_DIMS:
            return whole.contiguous(memory_format=torch.channels_last)
        return whole

    def _chunk(self) -> int:
        """Samples that are run at once."""
        largest = max(_values_of(node, self.edges) for node in self.export.nodes)
        return max(1, CHUNK_BYTES // (largest * (SUM_BYTES if self.export.input.frames else 1)))


def _owns_memory(node: Node) -> bool:
    """Whether what it gives is no view of what it reads."""
    return isinstance(node, AddNode) or (isinstance(node, LayerNode) and bool(node.weight_shape))


def readers_of(nodes: Sequence[Node]) -> dict[str, list[str]]:
    """The nodes that read each output, in their order."""
    found: dict[str, list[str]] = {}
    for node in nodes:
        for name in inputs_of(node):
            found.setdefault(name, []).append(node.name)
    return found


def _values_of(node: Node, edges: Mapping[str, Edge]) -> int:
    """The most values of one sample that a node holds at once; a layer has spikes and sums of every step."""
    sizes = [prod(edges[name].shape) for name in (node.name, *inputs_of(node))]
    match node:
        case LayerNode():
            return node.steps * max(sizes)
        case AttentionNode():
            return max(scores_of(node, edges[node.name].shape), max(1, edges[node.name].frames) * max(sizes))
        case _:
            return max(1, edges[node.name].frames) * max(sizes)


class _Layer:
    """One layer's numbers as tensors, its operation and the passes beside it."""

    def __init__(self, node: LayerNode, numbers: LayerIntegers, bounds: LayerBounds, entering: Edge) -> None:
        self.node = node
        self.framed = entering.frames > 0
        levels = [levels_at(bits, signed=node.signed) for bits in node.spike_bits]
        plain = TorchPasses(
            thresholds=[float(V) for V in numbers.threshold_T],
            levels=levels,
            multiplier_TO=torch.from_numpy(numbers.multiplier_TO).double(),
            bias_O=torch.from_numpy(numbers.bias_O).double(),
            framed=self.framed,
            shifts=None if numbers.shift_T is None else [float(Z) for Z in numbers.shift_T],
            leak=node.leak,
        )
        self.passes = passes_of(plain)
        weight = None if numbers.levels is None else torch.from_numpy(numbers.levels)
        self.operate = operation_of(node, weight, levels, max(bounds.sums_T))
        self.offset = _offset(node, numbers, entering)

    def __call__(self, values: Currents, watch: Watch | None) -> torch.Tensor | Pending:
        """The layer's output current; of an operand its levels, [T, B, ...]."""
        current, n = self._spikes(values, keep=watch is not None)
        if watch is not None:
            watch(self.node, current, list(n.clone().float().chunk(self.node.steps)))
        if self.node.op == "operand":
            return torch.stack(n.chunk(self.node.steps))
        if not self.framed and self.offset is None:
            return Pending(passes=self.passes, operation=self.operate, n=n)
        found = self.passes.currents(self.operate(n))
        if self.framed:
            found = found.unflatten(0, current.shape[:2])  # type: ignore[no-untyped-call]  # torch leaves it untyped
        return found if self.offset is None else found.add_(self.offset)

    def _spikes(self, values: Currents, *, keep: bool) -> tuple[torch.Tensor, torch.Tensor]:
        """The current that enters, of frames as regrouped, and the levels [T B, ...]."""
        pending = values.unread(self.node.source)
        if isinstance(pending, Pending):
            kept = keep or not values.read_once(self.node.source)
            current, n = self.passes.carried(pending, self.operate.dtype, keep=kept)
            if kept:
                values[self.node.source] = current
            return current, n
        current = values[self.node.source]
        if not self.framed:
            return current, self.passes.spikes(current, self.operate.dtype)
        current = regroup(current, self.node.steps)
        return current, self.passes.spikes(current.flatten(0, 1), self.operate.dtype)


def _offset(node: LayerNode, numbers: LayerIntegers, entering: Edge) -> torch.Tensor | None:
    """N_t op(1, w), what shifts add to the currents: [T, 1, O, ...] of frames, or their sum."""
    if numbers.offset_TO is None or node.op == "operand":
        return None
    ones = torch.ones(1, *entering.shape, dtype=torch.float64)
    levels = numbers.levels
    reached = ones if levels is None else operate(node, ones, torch.from_numpy(levels).double())
    offset_TO = torch.from_numpy(numbers.offset_TO).double()
    found = offset_TO.view(node.steps, 1, -1, *[1] * (reached.dim() - 2)) * reached
    return found if entering.frames else found.sum(0)
