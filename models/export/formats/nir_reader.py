"""Reads a NIR file of Bitfront back into the network that it was written from.

Whole weights are weight / (m a k), rounded: float32 holds them to 24 bits. The order of nodes, sums, frames
and scaling come from the metadata; everything that NIR has a word for comes from its nodes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import nir
import numpy as np

from models.errors import ExportDamagedError
from models.export.formats.nir_form import FLAT, NEURON, OUTPUT, unit_of
from models.export.formats.nir_notes import FORMAT, VERSION
from models.export.formats.real import RealNetwork
from models.export.integers import InputSpec
from models.export.lower_layers import LayerReals
from models.export.nodes import (
    INPUT,
    AddNode,
    Geometry,
    LayerNode,
    Node,
    Pair,
    PlainNode,
    PoolNode,
    SubsampleNode,
)
from models.export.shapes import ShapeError, edges_of

FIX = "Export the point again: `bitfront export POINT --format nir --to DIR`."


def read_nir(file: Path | BinaryIO) -> RealNetwork:
    """The network of a file that Bitfront wrote. Raises ExportDamagedError for any other file."""
    try:
        graph = nir.read(file)
        if (graph.metadata["format"], int(graph.metadata["version"])) != (FORMAT, VERSION):
            raise ExportDamagedError("the NIR file is of another version.", fix=FIX)
        return _network(graph)
    except (OSError, KeyError, TypeError, ValueError, AssertionError, ShapeError) as error:
        raise ExportDamagedError(f"the file is no NIR file of Bitfront: {error}.", fix=FIX) from error


def _network(graph: nir.NIRGraph) -> RealNetwork:
    notes = graph.metadata
    given = InputSpec(
        shape=_three(graph.nodes[INPUT].input_type["input"]),
        frames=int(notes["frames"]),
        stored=notes["stored"],
        limit=0,  # the integer export finds it
        mean_C=notes["mean"],
        scale_C=notes["scale"],
    )
    nodes, reals = _nodes(graph)
    edges = edges_of(given.shape, given.frames, nodes)
    return RealNetwork(input=given, nodes=nodes, reals=reals, edges=edges)


def _nodes(graph: nir.NIRGraph) -> tuple[tuple[Node, ...], dict[str, LayerReals]]:
    """In the order that the metadata tells; each reads what has the ends that its edges come from."""
    sums = {name: (branch, shortcut) for name, branch, shortcut in json.loads(graph.metadata["sums"])}
    ends: dict[str, list[str]] = {INPUT: [INPUT]}
    nodes: list[Node] = []
    reals: dict[str, LayerReals] = {}
    for name in json.loads(graph.metadata["order"]):
        if name in sums:
            branch, shortcut = sums[name]
            ends[name] = [*ends[branch], *ends[shortcut]]
            nodes.append(AddNode(name=name, branch=branch, shortcut=shortcut))
            continue
        first, last = _span(graph, name)
        source = _source(graph, first, ends)
        ends[name] = [last]
        nodes.append(_node(graph, name, source))
        if isinstance(nodes[-1], LayerNode):
            reals[name] = _reals(graph, nodes[-1])
    if _source(graph, OUTPUT, ends) != nodes[-1].name:
        raise ValueError("the output reads another node than the last")
    return tuple(nodes), reals


def _span(graph: nir.NIRGraph, name: str) -> tuple[str, str]:
    """The first and the last NIR node of a node of the network."""
    first = name + NEURON if name + NEURON in graph.nodes else name
    last = name if name in graph.nodes else first
    return first, name + FLAT if name + FLAT in graph.nodes else last


def _source(graph: nir.NIRGraph, reader: str, ends: Mapping[str, list[str]]) -> str:
    read = sorted(source for source, target in graph.edges if target == reader)
    found = next((name for name, there in ends.items() if sorted(there) == read), None)
    if found is None:
        raise ValueError(f"{reader} reads what no node gives")
    return found


def _node(graph: nir.NIRGraph, name: str, source: str) -> Node:
    if name + NEURON in graph.nodes:
        return _layer(graph, name, source)
    node = graph.nodes[name]
    if isinstance(node, nir.Conv2d):
        added = node.weight.shape[0] - node.weight.shape[1]
        return SubsampleNode(name=name, source=source, stride=_pair(node.stride)[0], added=added)
    if isinstance(node, nir.Flatten):
        return PlainNode(name=name, op="flatten", source=source)
    if node.metadata.get("op") == "map_mean":
        return PlainNode(name=name, op="map_mean", source=source)
    kernel, stride = _pair(node.kernel_size), _pair(node.stride)
    return PoolNode(
        name=name, op="mean_pool", source=source, kernel=kernel, stride=stride, padding=(0, 0), ceil=False
    )


def _layer(graph: nir.NIRGraph, name: str, source: str) -> LayerNode:
    notes, operator = graph.nodes[name + NEURON].metadata, graph.nodes.get(name)
    neuron: dict[str, Any] = {
        "name": name,
        "source": source,
        "steps": int(notes["steps"]),
        "spike_bits": _whole(notes["spike_bits"]),
        "signed": bool(notes["signed"]),
        "searched": bool(notes["searched"]),
    }
    if operator is None:
        return LayerNode(op="spikes", **neuron)
    neuron |= {
        "weight_bits": _whole(operator.metadata["weight_bits"]),
        "weight_shape": operator.weight.shape,
    }
    if not isinstance(operator, nir.Conv2d):
        return LayerNode(op="linear", **neuron)
    moves = {part: _pair(getattr(operator, part)) for part in ("stride", "padding", "dilation")}
    return LayerNode(op="conv", geometry=Geometry(**moves, groups=int(operator.groups)), **neuron)


def _reals(graph: nir.NIRGraph, node: LayerNode) -> LayerReals:
    reals = LayerReals(
        levels=None,
        step_size_O=np.ones(1),
        gain_O=np.ones(1),
        bias_O=np.zeros(1),
        threshold_T=graph.nodes[node.name + NEURON].metadata["step_sizes"],
    )
    if node.weight_shape:
        notes = graph.nodes[node.name].metadata
        reals.step_size_O, reals.gain_O = notes["weight_step_sizes"], notes["gains"]
        reals.bias_O = notes["biases"]
        scale_O = unit_of(node, reals) * reals.step_size_O * reals.gain_O
        safe_O = np.where(scale_O == 0, 1.0, scale_O).reshape(-1, *[1] * (len(node.weight_shape) - 1))
        reals.levels = np.rint(graph.nodes[node.name].weight / safe_O).astype(np.int32)
    return reals


def _whole(values: Any) -> tuple[int, ...]:
    return tuple(int(value) for value in values)


def _pair(values: Any) -> Pair:
    first, second = (int(value) for value in values)
    return first, second


def _three(values: Any) -> tuple[int, int, int]:
    channels, height, width = (int(value) for value in values)
    return channels, height, width
