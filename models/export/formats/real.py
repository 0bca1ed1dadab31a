"""A trained network as a graph whose parameters are still real: what open formats are written from.

    current     x -> sum_t (V_t / T) op(n_t, a k w) + b  of images,  V_t op(n_t, a k w) + b  of frame t

with w the whole weights, a their step sizes, k the gains and b the biases that a norm left, V_t the step
sizes of the spikes and n_t their levels (`fixed_point`), n_t + z_t with threshold shifts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from models.errors import ExportUnsupportedError
from models.export.integers import InputSpec
from models.export.lower import lowered
from models.export.lower_layers import LayerReals
from models.export.nodes import NO_LEAK, LayerNode, Node
from models.export.shapes import Edge, ShapeError, edges_of
from models.nets.network import Network

DOCS = "docs/export.md lists what can be exported."


@dataclass(frozen=True, kw_only=True, slots=True)
class RealNetwork:
    """The graph, its real parameters by layer, and its edges; `facts` as in an integer export."""

    input: InputSpec
    nodes: tuple[Node, ...]
    reals: Mapping[str, LayerReals]
    edges: Mapping[str, Edge]
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def framed(self) -> bool:
        """Whether samples are event data."""
        return self.input.frames > 0

    @property
    def layers(self) -> tuple[LayerNode, ...]:
        """The nodes with a neuron."""
        return tuple(node for node in self.nodes if isinstance(node, LayerNode))


@dataclass(frozen=True, kw_only=True, slots=True)
class Unexpressed:
    """Something of a network that a format has no word for: where, what, and what stands in its place."""

    layer: str
    what: str
    instead: str

    def to_json(self) -> dict[str, str]:
        """As the manifest lists it."""
        return {"layer": self.layer, "what": self.what, "instead": self.instead}


def real_network(network: Network, given: InputSpec, facts: Mapping[str, Any] | None = None) -> RealNetwork:
    """The real form of a trained network. Raises ExportUnsupportedError, naming the part."""
    graph = lowered(network)
    nodes = tuple(graph.nodes)
    try:
        edges = edges_of(given.shape, given.frames, nodes)
    except ShapeError as error:
        raise ExportUnsupportedError(f"{error}.", fix=DOCS) from error
    return RealNetwork(input=given, nodes=nodes, reals=graph.reals, edges=edges, facts=facts or {})


def annotation(node: LayerNode, reals: LayerReals) -> dict[str, Any]:
    """The bits and step sizes of a layer, as every format carries them."""
    found: dict[str, Any] = {
        "steps": node.steps,
        "spike_bits": list(node.spike_bits),
        "signed": node.signed,
        "searched": node.searched,
        "step_sizes": reals.threshold_T.tolist(),
    }
    found |= {"leak": reals.leak} if node.leak != NO_LEAK else {}
    found |= {"shifts": reals.shift_T.tolist()} if reals.shift_T is not None else {}
    if reals.levels is not None:
        found |= {
            "weight_bits": list(node.weight_bits),
            "weight_step_sizes": reals.step_size_O.tolist(),
            "gains": reals.gain_O.tolist(),
        }
    return found
