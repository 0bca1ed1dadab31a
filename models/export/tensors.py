"""The tensor file of an export: safetensors whose header is compared with the manifest before it is read.

input.mean, input.scale    F32 [C]
LAYER.weight               U8  [bytes]   the packed weights (`packing`); not of `spikes`
LAYER.multiplier           I64 [T, O]    O = 1 of `spikes`
LAYER.bias                 I64 [O]
LAYER.threshold            I64 [T]
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import prod
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from models.export.integers import Export, LayerIntegers
from models.export.manifest import damaged, strict_json
from models.export.nodes import LayerNode
from models.export.packing import packed, stream_bits, unpacked

HEADER_LENGTH = 8
MOST_HEADER = 16 * 2**20
SIZES = {"U8": 1, "F32": 4, "I64": 8}
Expected = Mapping[str, tuple[str, tuple[int, ...]]]


def tensor_bytes(export: Export) -> bytes:
    """The tensor file of an export."""
    tensors: dict[str, Any] = {"input.mean": export.input.mean_C, "input.scale": export.input.scale_C}
    for node in export.layers:
        numbers = export.integers[node.name]
        if numbers.levels is not None:
            tensors[f"{node.name}.weight"] = packed(numbers.levels, node.weight_bits)
        tensors[f"{node.name}.multiplier"] = numbers.multiplier_TO
        tensors[f"{node.name}.bias"] = numbers.bias_O
        tensors[f"{node.name}.threshold"] = numbers.threshold_T
    return save({name: np.ascontiguousarray(value) for name, value in tensors.items()})


def expected(channels: int, layers: Iterable[LayerNode]) -> Expected:
    """The type and shape of every tensor that a manifest calls for."""
    found: dict[str, tuple[str, tuple[int, ...]]] = {
        "input.mean": ("F32", (channels,)),
        "input.scale": ("F32", (channels,)),
    }
    for node in layers:
        if node.weight_shape:
            size = -(-stream_bits(node.weight_shape, node.weight_bits) // 8)
            found[f"{node.name}.weight"] = ("U8", (size,))
        found[f"{node.name}.multiplier"] = ("I64", (node.steps, node.channels))
        found[f"{node.name}.bias"] = ("I64", (node.channels,))
        found[f"{node.name}.threshold"] = ("I64", (node.steps,))
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
    return LayerIntegers(
        levels=levels,
        multiplier_TO=tensors[f"{node.name}.multiplier"],
        bias_O=tensors[f"{node.name}.bias"],
        threshold_T=threshold_T,
    )
