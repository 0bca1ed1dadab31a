"""The manifest of an export: JSON that says everything but the tensors, checked before anything is allocated.

Read in this order, each step before the next: size, syntax (no duplicate names, no NaN), depth, version, the
published schema, the graph (`shapes`), the sizes of what a run would allocate.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from math import prod
from typing import Any, assert_never

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from models.errors import ExportDamagedError
from models.export.integers import FORMAT, VERSIONS, Export, version_of
from models.export.nodes import (
    NO_LEAK,
    AddNode,
    AttentionNode,
    Geometry,
    LayerNode,
    Node,
    PlainNode,
    PoolNode,
    SubsampleNode,
    inputs_of,
)
from models.export.shapes import Edge, ShapeError, edges_of, scores_of

MOST_BYTES = 16 * 2**20
MOST_DEPTH = 32
MOST_VALUES = 2**28
"""Of the map of one sample, over all its frames: what a run allocates for one edge."""
FIX = "Export the point again: `bitfront export POINT --to DIR`."
Json = dict[str, Any]


def damaged(message: str, pointer: str = "") -> ExportDamagedError:
    """The refusal of an export."""
    return ExportDamagedError(message, fix=FIX, pointer=pointer)


def manifest_of(export: Export, tensors: Mapping[str, Any]) -> Json:
    """The manifest; `tensors` holds the size and the SHA-256 of the tensor file."""
    given = export.input
    return {
        "format": FORMAT,
        "version": export.version,
        "fraction_bits": export.fraction_bits,
        "input": {
            "shape": list(given.shape),
            "frames": given.frames,
            "stored": given.stored,
            "limit": given.limit,
        },
        "nodes": [_node_json(node) for node in export.nodes],
        "tensors": dict(tensors),
        "facts": dict(export.facts),
    }


def parsed(content: bytes) -> Json:
    """The manifest in these bytes, as the schema has it. Raises ExportDamagedError."""
    if len(content) > MOST_BYTES:
        raise damaged(f"the manifest has {len(content)} bytes; {MOST_BYTES} are the most.")
    found = strict_json(content, "the manifest")
    _check_version(found)
    error = best_match(schema().iter_errors(found))
    if error is not None:
        raise _schema_refusal(error)
    return found


def strict_json(content: bytes, what: str) -> Json:
    """A JSON object without duplicate names, without numbers that are none and not too deep."""
    try:
        found = json.loads(
            content.decode(), object_pairs_hook=_without_duplicates, parse_constant=_no_constant
        )
    except (ValueError, RecursionError) as error:
        told = "it is nested too deep" if isinstance(error, RecursionError) else str(error)[:200]
        raise damaged(f"{what} is not acceptable JSON: {told}.") from None
    if not isinstance(found, dict):
        raise damaged(f"{what} is no JSON object.")
    _check_depth(found, what)
    return found


@functools.cache
def schema() -> Draft202012Validator:
    """The published schema."""
    return Draft202012Validator(
        json.loads(files("models.export").joinpath("manifest.schema.json").read_text())
    )


def nodes_of(manifest: Json) -> tuple[tuple[Node, ...], Mapping[str, Edge]]:
    """The graph of a manifest that keeps the schema. Raises ExportDamagedError."""
    nodes = tuple(_node(entry, f"/nodes/{place}") for place, entry in enumerate(manifest["nodes"]))
    given = manifest["input"]
    try:
        edges = edges_of(tuple(given["shape"]), given["frames"], nodes)
    except ShapeError as error:
        raise damaged(f"{error}.", "/nodes") from None
    for name, edge in edges.items():
        if prod(edge.shape) * max(1, edge.frames) > MOST_VALUES:
            raise damaged(f"{name} has {prod(edge.shape)} values a frame, which is too many.", "/nodes")
    for node in nodes:
        if isinstance(node, AttentionNode) and scores_of(node, edges[node.name].shape) > MOST_VALUES:
            raise damaged(f"{node.name} has too many scores.", "/nodes")
    if version_of(nodes) > manifest["version"]:
        raise damaged(f"the graph has nodes of version {version_of(nodes)}.", "/version")
    if len(edges[nodes[-1].name].shape) != 1 or not isinstance(nodes[-1], LayerNode):
        raise damaged("the last node is no layer that gives logits.", "/nodes")
    return nodes, edges


def _without_duplicates(pairs: Sequence[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is no number")


def _check_depth(found: Any, what: str) -> None:
    """Level by level, since a recursion could itself go too deep."""
    level = [found]
    for _ in range(MOST_DEPTH):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return
    raise damaged(f"{what} is nested more than {MOST_DEPTH} deep.")


def _check_version(found: Json) -> None:
    if found.get("format") != FORMAT:
        raise damaged(f"the manifest is none of {FORMAT}.", "/format")
    version = found.get("version")
    if version not in VERSIONS or isinstance(version, bool):
        told, known = repr(version)[:40], " and ".join(map(str, VERSIONS))
        raise damaged(f"the export is of version {told}; this Bitfront reads versions {known}.", "/version")


def _schema_refusal(error: ValidationError) -> ExportDamagedError:
    """The place and the rule; jsonschema's own sentence would repeat the value, however long."""
    pointer = "/" + "/".join(str(part) for part in error.absolute_path)
    rule = {"oneOf": "is no node of the schema"}.get(
        str(error.validator), f"breaks {error.validator!r} of the schema"
    )
    return damaged(f"{pointer[:200]} {rule}.", pointer[:200])


def _node_json(node: Node) -> Json:
    head = {"name": node.name, "op": _op(node), "inputs": list(inputs_of(node))}
    match node:
        case LayerNode():
            return head | _layer_json(node)
        case AttentionNode():
            return head | {"heads": node.heads, "terms": node.terms}
        case SubsampleNode():
            return head | {"stride": node.stride, "added": node.added}
        case PoolNode():
            sizes = {"kernel": list(node.kernel), "stride": list(node.stride), "padding": list(node.padding)}
            return head | sizes | {"ceil": node.ceil}
        case AddNode() | PlainNode():
            return head
        case _:
            assert_never(node)


def _op(node: Node) -> str:
    match node:
        case AddNode():
            return "add"
        case AttentionNode():
            return "attention"
        case SubsampleNode():
            return "subsample"
        case LayerNode() | PoolNode() | PlainNode():
            return node.op
        case _:
            assert_never(node)


def _layer_json(node: LayerNode) -> Json:
    neuron: Json = {
        "steps": node.steps,
        "spike_bits": list(node.spike_bits),
        "signed": node.signed,
        "searched": node.searched,
    }
    neuron |= {"leak": node.leak} if node.leak != NO_LEAK else {}
    neuron |= {"shifted": True} if node.shifted else {}
    if not node.weight_shape:
        return neuron
    weight = {"weight_bits": list(node.weight_bits), "weight_shape": list(node.weight_shape)}
    if node.op == "linear":
        return neuron | weight
    moves = node.geometry
    geometry = {"stride": moves.stride, "padding": moves.padding, "dilation": moves.dilation}
    return neuron | weight | {name: list(pair) for name, pair in geometry.items()} | {"groups": moves.groups}


def _node(entry: Json, pointer: str) -> Node:
    name, op, inputs = entry["name"], entry["op"], entry["inputs"]
    match op:
        case "add":
            return AddNode(name=name, branch=inputs[0], shortcut=inputs[1])
        case "attention":
            query, key, value = inputs
            return AttentionNode(
                name=name, query=query, key=key, value=value, heads=entry["heads"], terms=entry["terms"]
            )
        case "subsample":
            return SubsampleNode(name=name, source=inputs[0], stride=entry["stride"], added=entry["added"])
        case "mean_pool" | "max_pool":
            return PoolNode(
                name=name,
                op=op,
                source=inputs[0],
                kernel=tuple(entry["kernel"]),
                stride=tuple(entry["stride"]),
                padding=tuple(entry["padding"]),
                ceil=entry["ceil"],
            )
        case "map_mean" | "flatten" | "relu":
            return PlainNode(name=name, op=op, source=inputs[0])
        case _:
            return _layer(entry, pointer)


def _layer(entry: Json, pointer: str) -> LayerNode:
    widths, shape = tuple(entry.get("weight_bits", ())), tuple(entry.get("weight_shape", ()))
    if len(entry["spike_bits"]) != entry["steps"]:
        raise damaged(f"{entry['name']} has other spike bits than steps.", f"{pointer}/spike_bits")
    if shape and len(widths) not in (1, shape[0]):
        raise damaged(f"{entry['name']} has {len(widths)} weight bits.", f"{pointer}/weight_bits")
    geometry = Geometry()
    if entry["op"] == "conv":
        pairs = {name: tuple(entry[name]) for name in ("stride", "padding", "dilation")}
        geometry = Geometry(**pairs, groups=entry["groups"])
    return LayerNode(
        name=entry["name"],
        op=entry["op"],
        source=entry["inputs"][0],
        steps=entry["steps"],
        spike_bits=tuple(entry["spike_bits"]),
        signed=entry["signed"],
        searched=entry["searched"],
        weight_bits=widths,
        weight_shape=shape,
        geometry=geometry,
        leak=entry.get("leak", NO_LEAK),
        shifted=entry.get("shifted", False),
    )
