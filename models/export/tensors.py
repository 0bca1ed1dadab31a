"""The tensor file of an export: safetensors whose header is compared with the manifest before it is read.

input.mean, input.scale    F32 [C]
LAYER.weight               U8  [bytes]   the packed weights (`packing`); not of `spikes` and `operand`
LAYER.multiplier           I64 [T, O]    O = 1 of `spikes`; not of `operand`
LAYER.bias                 I64 [O]       not of `operand`
LAYER.threshold            I64 [T]
LAYER.shift                I64 [T]       with threshold shifts
LAYER.offset               I64 [T, O]    with threshold shifts; not of `operand`
ATTENTION.terms            I64 [K, 4]
ATTENTION.multiplier       I64 [K]
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import prod
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from models.export.integers import AttentionIntegers, Export, LayerIntegers
from models.export.manifest import damaged, strict_json
from models.export.nodes import AttentionNode, LayerNode, Node, inputs_of
from models.export.packing import packed, stream_bits, unpacked

HEADER_LENGTH = 8
MOST_HEADER = 16 * 2**20
SIZES = {"U8": 1, "F32": 4, "I64": 8}
Expected = Mapping[str, tuple[str, tuple[int, ...]]]


def tensor_bytes(export: Export) -> bytes:
    """The tensor file of an export."""
    tensors: dict[str, Any] = {"input.mean": export.input.mean_C, "input.scale": export.input.scale_C}
    for node in export.nodes:
        match node:
            case LayerNode():
                numbers = _layer_tensors(node, export.integers[node.name])
            case AttentionNode():
                terms = export.attentions[node.name]
                numbers = {"terms": terms.terms_K4, "multiplier": terms.multiplier_K}
            case _:
                numbers = {}
        tensors |= {f"{node.name}.{what}": value for what, value in numbers.items()}
    return save({name: np.ascontiguousarray(value) for name, value in tensors.items()})


def _layer_tensors(node: LayerNode, numbers: LayerIntegers) -> dict[str, Any]:
    found = {
        "weight": None if numbers.levels is None else packed(numbers.levels, node.weight_bits),
        "multiplier": numbers.multiplier_TO,
        "bias": numbers.bias_O,
        "threshold": numbers.threshold_T,
        "shift": numbers.shift_T,
        "offset": numbers.offset_TO,
    }
    return {what: found[what] for what in _layer_shapes(node)}


def expected(channels: int, nodes: Iterable[Node]) -> Expected:
    """The type and shape of every tensor that a manifest calls for."""
    found: dict[str, tuple[str, tuple[int, ...]]] = {
        "input.mean": ("F32", (channels,)),
        "input.scale": ("F32", (channels,)),
    }
    for node in nodes:
        match node:
            case LayerNode():
                shapes = _layer_shapes(node)
            case AttentionNode():
                shapes = {"terms": (node.terms, 4), "multiplier": (node.terms,)}
            case _:
                shapes = {}
        for what, shape in shapes.items():
            found[f"{node.name}.{what}"] = ("U8" if what == "weight" else "I64", shape)
    return found


def _layer_shapes(node: LayerNode) -> dict[str, tuple[int, ...]]:
    """The tensors of a layer."""
    found: dict[str, tuple[int, ...]] = {}
    if node.weight_shape:
        found["weight"] = (-(-stream_bits(node.weight_shape, node.weight_bits) // 8),)
    if node.op != "operand":
        found |= {"multiplier": (node.steps, node.channels), "bias": (node.channels,)}
    found["threshold"] = (node.steps,)
    if node.shifted:
        found["shift"] = (node.steps,)
        found |= {"offset": (node.steps, node.channels)} if node.op != "operand" else {}
    return found


def check_header(content: bytes | memoryview, wanted: Expected) -> None:
    """Compare the header with the file's size and with what is wanted. Raises ExportDamagedError."""
    header, data = _header(content), len(content) - HEADER_LENGTH
    data -= int.from_bytes(content[:HEADER_LENGTH], "little")
    if odd := sorted(set(header) ^ set(wanted)):
        raise damaged(f"the tensors and the manifest disagree on {odd[0][:200]!r}.")
    ends = [0]
    spans = sorted((_span(name, header[name], *wanted[name]) for name in wanted), key=lambda span: span[1])
    for begin, end in spans:
        if begin != ends[-1]:
            raise damaged("the tensors overlap, or leave gaps.")
        ends.append(end)
    if ends[-1] != data:
        raise damaged(f"the tensors take {ends[-1]} bytes; the file has {data} for them.")


def _header(content: bytes | memoryview) -> dict[str, Any]:
    length = int.from_bytes(content[:HEADER_LENGTH], "little")
    if len(content) < HEADER_LENGTH or length > min(MOST_HEADER, len(content) - HEADER_LENGTH):
        raise damaged("the tensor file is truncated, or its header is too long.")
    header = strict_json(bytes(content[HEADER_LENGTH : HEADER_LENGTH + length]), "the header of the tensors")
    header.pop("__metadata__", None)
    return header


def _span(name: str, entry: Any, kind: str, shape: tuple[int, ...]) -> tuple[int, int]:
    """Where a tensor lies, if it is of the wanted type and shape and as long as that takes."""
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise damaged(f"the entry of {name} is none of safetensors.")
    if entry["dtype"] != kind or entry["shape"] != list(shape):
        raise damaged(f"{name} is not {kind} {list(shape)}.")
    offsets = entry["data_offsets"]
    whole = isinstance(offsets, list) and len(offsets) == 2 and all(type(offset) is int for offset in offsets)
    if not whole or offsets[1] - offsets[0] != prod(shape) * SIZES[kind] or offsets[0] < 0:
        raise damaged(f"{name} lies where it cannot be.")
    return offsets[0], offsets[1]


def loaded(content: bytes) -> Mapping[str, Any]:
    """The tensors of a file whose header was checked."""
    try:
        return load(content)
    except SafetensorError as error:
        raise damaged(f"the tensor file is no safetensors file: {error}.") from None


def layer_integers(node: LayerNode, tensors: Mapping[str, Any]) -> LayerIntegers:
    """The numbers of a layer. Raises ExportDamagedError where they cannot be a layer's."""
    threshold_T = tensors[f"{node.name}.threshold"]
    if (threshold_T < 1).any():
        raise damaged(f"a threshold of {node.name} is not above 0.")
    levels = None
    if node.weight_shape:
        try:
            levels = unpacked(tensors[f"{node.name}.weight"], node.weight_shape, node.weight_bits)
        except ValueError as error:
            raise damaged(f"the weights of {node.name} are no weights: {error}.") from None
    none = np.zeros((node.steps, 0), np.int64)
    return LayerIntegers(
        levels=levels,
        multiplier_TO=tensors.get(f"{node.name}.multiplier", none),
        bias_O=tensors.get(f"{node.name}.bias", none[0]),
        threshold_T=threshold_T,
        shift_T=tensors.get(f"{node.name}.shift"),
        offset_TO=tensors.get(f"{node.name}.offset"),
    )


def attention_integers(
    node: AttentionNode, steps: Mapping[str, int], frames: int, tensors: Mapping[str, Any]
) -> AttentionIntegers:
    """The numbers of an attention between operands of so many steps. Raises ExportDamagedError likewise."""
    terms_K4 = tensors[f"{node.name}.terms"]
    ends = [max(1, frames), *(steps[name] + 1 for name in inputs_of(node))]
    if (terms_K4 < 0).any() or (terms_K4 >= np.array(ends)).any():
        raise damaged(f"{node.name} multiplies steps that its operands do not have.")
    return AttentionIntegers(terms_K4=terms_K4, multiplier_K=tensors[f"{node.name}.multiplier"])
