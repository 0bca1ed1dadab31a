"""An integer network as values: what is written, read and run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from models.export.nodes import LayerNode, Node
from models.export.packing import Levels
from models.export.shapes import Edge, edges_of

FORMAT = "bitfront-integers"
VERSION = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerIntegers:
    """The numbers of a layer of T steps and O output channels (1 without weights).

    A layer turns integer spikes n_t into the current  sum_t M_t * op(n_t, w) + b  of images, or into
    M_t * op(n_t, w) + b  of frame t.
    """

    levels: Levels | None
    """w, of the weight's shape; None without weights."""
    multiplier_TO: NDArray[np.int64]  # noqa: N815 - the letters are the axes
    bias_O: NDArray[np.int64]  # noqa: N815 - the letter is the axis
    threshold_T: NDArray[np.int64]  # noqa: N815 - the letter is the axis


@dataclass(frozen=True, kw_only=True, slots=True)
class InputSpec:
    """What a sample is, and how it was scaled for the network.

        x = (unit(sample) - mean) / scale,   unit(sample) = sample / 255 for bytes, the sample for floats
        current = r(x * 2^F),  at most `limit` in magnitude

    computed in float32 up to x.
    """

    shape: tuple[int, int, int]
    frames: int
    stored: Literal["uint8", "float32"]
    limit: int
    mean_C: NDArray[np.float32]  # noqa: N815 - the letter is the axis
    scale_C: NDArray[np.float32]  # noqa: N815 - the letter is the axis


@dataclass(frozen=True, kw_only=True, slots=True)
class Export:
    """A whole integer network; `facts` are costs, accuracies and provenance, as the manifest has them."""

    fraction_bits: int
    input: InputSpec
    nodes: tuple[Node, ...]
    integers: Mapping[str, LayerIntegers]
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def edges(self) -> Mapping[str, Edge]:
        """Shapes and frames by node."""
        return edges_of(self.input.shape, self.input.frames, self.nodes)

    @property
    def layers(self) -> tuple[LayerNode, ...]:
        """The nodes with a neuron."""
        return tuple(node for node in self.nodes if isinstance(node, LayerNode))

    @property
    def classes(self) -> int:
        """How many logits there are."""
        return self.edges[self.nodes[-1].name].shape[0]
