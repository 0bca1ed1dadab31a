"""ONNX of a trained network: standard operators, quantized by QuantizeLinear and DequantizeLinear.

    spikes, unsigned or B >= 2    Clip(u, L V, H V) -> QuantizeLinear(V) -> DequantizeLinear(V)
    spikes, signed and B = 1      Where(u > 0, 1, -1) as 8-bit levels    -> DequantizeLinear(V)
    weights                       DequantizeLinear of whole weights, by the scale a |k| of each output channel

with L and H the ends of the levels of B bits. L and H are whole, so that a clip before rounding is one after
it: 8-bit operators carry every width. Steps are unrolled: u_1 = x, u_(t+1) = (u_t - s_t) + x, and one
operator follows on the mean of s_t, for event data one on each. A negative gain k turns the signs of
its weights.

The input is the data set's own samples, [N, C, H, W] or [N, F, C, H, W]; the output is `logits` [N, K].
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, assert_never

import numpy as np
import onnx

from models.errors import ExportUnsupportedError
from models.export.formats.onnx_attention import context_of, scores_of, tokens_of
from models.export.formats.onnx_layers import layer_outputs, unexpressed
from models.export.formats.onnx_writer import Writer
from models.export.formats.real import RealNetwork, Unexpressed
from models.export.nodes import (
    INPUT,
    AddNode,
    AttentionNode,
    LayerNode,
    Node,
    PlainNode,
    PoolNode,
    SubsampleNode,
    inputs_of,
)

OPSET, IR_VERSION = 21, 10
STORED = {"uint8": onnx.TensorProto.UINT8, "float32": onnx.TensorProto.FLOAT}
Edges = dict[str, list[str]]
"""The values of every edge: one of images, one for each frame of event data."""


def onnx_bytes(network: RealNetwork) -> tuple[bytes, Sequence[Unexpressed]]:
    """The model as a file, and what it does not express. Raises ExportUnsupportedError, naming the part."""
    writer = Writer()
    values: Edges = {INPUT: _scaled(writer, network)}
    for node in network.nodes:
        values[node.name] = _outputs(writer, network, node, values)
    last = values[network.nodes[-1].name]
    writer.node("Identity", [_mean(writer, last, "logits/mean")], "logits", output="logits")
    model = _model(writer, network)
    onnx.checker.check_model(model, full_check=True)
    try:
        return model.SerializeToString(deterministic=True), unexpressed(network)
    except ValueError as error:
        raise ExportUnsupportedError(f"the network is too large for one ONNX file: {error}.") from None


def _outputs(writer: Writer, network: RealNetwork, node: Node, values: Edges) -> list[str]:
    match node:
        case LayerNode():
            frames = regrouped(writer, values[node.source], node.steps if network.framed else 1, node.name)
            return layer_outputs(writer, node, network.reals[node.name], frames, framed=network.framed)
        case AddNode():
            branch = values[node.branch]
            shortcut = regrouped(writer, values[node.shortcut], len(branch), node.name)
            pairs = enumerate(zip(branch, shortcut, strict=True))
            return [writer.node("Add", list(pair), f"{node.name}/{place}") for place, pair in pairs]
        case AttentionNode():
            return _attended(writer, network, node, values)
        case SubsampleNode() | PoolNode() | PlainNode():
            return [
                _plain(writer, node, value, f"{node.name}/{place}")
                for place, value in enumerate(values[node.source])
            ]
        case _:
            assert_never(node)


def _attended(writer: Writer, network: RealNetwork, node: AttentionNode, values: Edges) -> list[str]:
    """(q k^T) v * SCALE; frames of the key follow the query's, those of the scores the value's."""
    query, key, value = (
        [tokens_of(writer, one, node.heads, network.edges[name].shape[0]) for one in values[name]]
        for name in inputs_of(node)
    )
    keys = regrouped(writer, key, len(query), f"{node.name}/key")
    scores = [
        scores_of(writer, q, k, f"{node.name}/scores{place}")
        for place, (q, k) in enumerate(zip(query, keys, strict=True))
    ]
    matched = regrouped(writer, scores, len(value), f"{node.name}/scores")
    return [
        context_of(writer, s, v, f"{node.name}/{place}", network.edges[node.name].shape)
        for place, (s, v) in enumerate(zip(matched, value, strict=True))
    ]


def _plain(writer: Writer, node: SubsampleNode | PoolNode | PlainNode, value: str, name: str) -> str:
    match node:
        case SubsampleNode():
            return _subsample(writer, node, value, name)
        case PoolNode():
            return _pool(writer, node, value, name)
        case PlainNode(op="map_mean"):
            axes = writer.constant(np.array([2, 3], np.int64), "axes/map")
            return writer.node("ReduceMean", [value, axes], name, keepdims=0)
        case PlainNode(op="flatten"):
            return writer.node("Flatten", [value], name, axis=1)
        case PlainNode():
            return writer.node("Relu", [value], name)
        case _:
            assert_never(node)


def _pool(writer: Writer, node: PoolNode, value: str, name: str) -> str:
    if node.ceil and node.padding != (0, 0):
        raise ExportUnsupportedError(
            f"{node.name} is a padded pool that rounds up, on whose last windows readers of ONNX differ.",
            fix="Train without ceil_mode, or export integers.",
        )
    pads = [*node.padding, *node.padding]
    settings: dict[str, Any] = {"kernel_shape": node.kernel, "strides": node.stride, "pads": pads}
    settings["ceil_mode"] = int(node.ceil)
    if node.op == "max_pool":
        return writer.node("MaxPool", [value], name, **settings)
    return writer.node("AveragePool", [value], name, count_include_pad=0, **settings)


def _subsample(writer: Writer, node: SubsampleNode, value: str, name: str) -> str:
    """Every stride-th pixel, with channels of zeros behind the others."""
    ends = [
        writer.constant(np.array(numbers, np.int64), f"{node.name}/{what}")
        for what, numbers in (
            ("starts", [0, 0]),
            ("ends", [2**31, 2**31]),
            ("axes", [2, 3]),
            ("steps", [node.stride, node.stride]),
        )
    ]
    kept = writer.node("Slice", [value, *ends], f"{name}/slice")
    pads = writer.constant(np.array([0, 0, 0, 0, 0, node.added, 0, 0], np.int64), f"{node.name}/pads")
    return writer.node("Pad", [kept, pads], name, mode="constant")


def regrouped(writer: Writer, frames: list[str], steps: int, name: str) -> list[str]:
    """Frames held or averaged to `steps` of them, as models.functional.frames has it."""
    starts = [step * len(frames) // steps for step in range(steps + 1)]
    if steps >= len(frames):
        return [frames[start] for start in starts[:-1]]
    return [
        _mean(writer, frames[begin:end], f"{name}/group{step}")
        for step, (begin, end) in enumerate(pairwise(starts))
    ]


def _mean(writer: Writer, values: list[str], name: str) -> str:
    return values[0] if len(values) == 1 else writer.node("Mean", values, name)


def _scaled(writer: Writer, network: RealNetwork) -> list[str]:
    """The input's frames, scaled as the network takes them."""
    given = network.input
    value = INPUT_NAME
    if given.stored == "uint8":
        value = writer.node("Cast", [value], "samples/float", to=onnx.TensorProto.FLOAT)
        value = writer.node("Div", [value, writer.constant(np.float32(255), "samples/255")], "samples/unit")
    mean = writer.constant(given.mean_C.reshape(-1, 1, 1), "samples/mean")
    scale = writer.constant(given.scale_C.reshape(-1, 1, 1), "samples/scale")
    value = writer.node(
        "Div", [writer.node("Sub", [value, mean], "samples/centred"), scale], "samples/scaled"
    )
    if not network.framed:
        return [value]
    places = (writer.constant(np.int64(place), f"samples/place{place}") for place in range(given.frames))
    return [
        writer.node("Gather", [value, place], f"samples/frame{number}", axis=1)
        for number, place in enumerate(places)
    ]


INPUT_NAME = "samples"


def _model(writer: Writer, network: RealNetwork) -> onnx.ModelProto:
    given, value_of = network.input, onnx.helper.make_tensor_value_info
    shape: list[str | int | None] = ["N", *([given.frames] if network.framed else []), *given.shape]
    classes = network.edges[network.nodes[-1].name].shape[0]
    graph = onnx.helper.make_graph(
        writer.nodes,
        "bitfront",
        [value_of(INPUT_NAME, STORED[given.stored], shape)],
        [value_of("logits", onnx.TensorProto.FLOAT, ["N", classes])],
        writer.initializers,
    )
    model = onnx.helper.make_model(
        graph,
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="bitfront",
    )
    facts = {name: str(network.facts[name]) for name in ("point", "job") if name in network.facts}
    onnx.helper.set_model_props(model, {f"bitfront.{name}": value for name, value in facts.items()})
    return model
