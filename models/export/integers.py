"""An integer network as values: what is written, read and run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from models.export.nodes import NO_LEAK, AttentionNode, LayerNode, Node
from models.export.packing import Levels
from models.export.shapes import Edge, edges_of

FORMAT = "bitfront-integers"
VERSIONS = (1, 2)
"""Version 2 has leaks, threshold shifts and attention; what has none of them is written as version 1."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerIntegers:
    """The numbers of a layer of T steps and O output channels (1 without weights).

    A layer turns integer spikes n_t into the current  sum_t (M_t * op(n_t, w) + N_t * op(1, w)) + b  of
    images, or into  M_t * op(n_t, w) + N_t * op(1, w) + b  of frame t. Without threshold shifts there is no
    N. An operand has no current, so its O is 0.
    """

    levels: Levels | None
    """w, of the weight's shape; None without weights."""
    multiplier_TO: NDArray[np.int64]  # noqa: N815 - the letters are the axes
    bias_O: NDArray[np.int64]  # noqa: N815 - the letter is the axis
    threshold_T: NDArray[np.int64]  # noqa: N815 - the letter is the axis
    shift_T: NDArray[np.int64] | None = None  # noqa: N815 - the letter is the axis
    """V_t z_t; None without threshold shifts."""
    offset_TO: NDArray[np.int64] | None = None  # noqa: N815 - the letters are the axes
    """N; None without threshold shifts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AttentionIntegers:
    """The K terms of an attention: frame t of what it gives holds the sum of M_k * (q_i k_j^T) v_l.

    q_i are the spikes of step i of the query, or all ones where i is its T (of threshold shifts); likewise
    k_j and v_l. Images have frame 0 alone.
    """

    terms_K4: NDArray[np.int64]  # noqa: N815 - the letters are the axes
    """(t, i, j, l) of each term."""
    multiplier_K: NDArray[np.int64]  # noqa: N815 - the letter is the axis


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
    attentions: Mapping[str, AttentionIntegers] = field(default_factory=dict)
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
    def version(self) -> int:
        """The least version of the format that has a word for every node."""
        return version_of(self.nodes)

    @property
    def classes(self) -> int:
        """How many logits there are."""
        return self.edges[self.nodes[-1].name].shape[0]


def version_of(nodes: Iterable[Node]) -> int:
    """The least version of the format that has a word for every node."""
    second = any(
        isinstance(node, AttentionNode)
        or (isinstance(node, LayerNode) and (node.op == "operand" or node.leak != NO_LEAK or node.shifted))
        for node in nodes
    )
    return 2 if second else 1
