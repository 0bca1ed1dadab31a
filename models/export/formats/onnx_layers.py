"""The layers of an ONNX model: neurons unrolled over their steps, and operators on dequantized weights."""

from __future__ import annotations

import json

import numpy as np

from models.export.formats.onnx_writer import Writer
from models.export.formats.real import RealNetwork, Unexpressed, annotation
from models.export.lower_layers import LayerReals
from models.export.nodes import NO_LEAK, LayerNode
from models.functional.levels import levels_at

NATIVE_SPIKE_BITS, NATIVE_WEIGHT_BITS = (8,), (4, 8)
"""Widths that an element type of the model has by itself."""


def layer_outputs(
    writer: Writer, node: LayerNode, reals: LayerReals, frames: list[str], *, framed: bool
) -> list[str]:
    """One output of an image's current, or one for each frame."""
    spikes = _spikes(writer, node, reals, frames if framed else frames * node.steps)
    if not framed:
        spikes = [_mean(writer, spikes, f"{node.name}/mean")]
    if reals.levels is None:
        return spikes
    operands = _operands(writer, node, reals)
    return [_operate(writer, node, reals, [value, *operands], place) for place, value in enumerate(spikes)]


def _spikes(writer: Writer, node: LayerNode, reals: LayerReals, x_T: list[str]) -> list[str]:
    found: list[str] = []
    u = x_T[0]
    for step, x in enumerate(x_T):
        name = f"{node.name}/step{step}"
        if step:
            rest = writer.node("Sub", [u, found[-1]], f"{name}/rest")
            if node.leak != NO_LEAK:
                leak = writer.constant(np.float32(reals.leak), f"{node.name}/leak")
                rest = writer.node("Mul", [rest, leak], f"{name}/left")
            u = writer.node("Add", [rest, x], f"{name}/potential")
        found.append(_shifted_spike(writer, node, reals, u, step))
    return found


def _shifted_spike(writer: Writer, node: LayerNode, reals: LayerReals, u: str, step: int) -> str:
    """V (n + z): shifts move the potential before the quantizer and the spike behind it."""
    threshold = float(reals.threshold_T[step])
    if reals.shift_T is None:
        return _spike(writer, node, threshold, u, step)
    name = f"{node.name}/step{step}"
    shift = writer.constant(np.float32(threshold * reals.shift_T[step]), f"{name}/shift")
    spike = _spike(writer, node, threshold, writer.node("Sub", [u, shift], f"{name}/shifted"), step)
    return writer.node("Add", [spike, shift], f"{name}/shifted_spike")


def _spike(writer: Writer, node: LayerNode, threshold: float, u: str, step: int) -> str:
    """V n of one step."""
    name, bits = f"{node.name}/step{step}", node.spike_bits[step]
    V = np.float32(threshold)
    scale = writer.constant(V, f"{name}/step_size")
    notes = {"layer": node.name, "spike_bits": str(bits), "signed": str(node.signed).lower()}
    if node.signed and bits == 1:
        above = writer.node("Greater", [u, writer.constant(np.float32(0), "zero")], f"{name}/above")
        ends = [writer.constant(np.int8(one), f"level/{one}") for one in (1, -1)]
        level = writer.node("Where", [above, *ends], f"{name}/quantize", notes=notes)
        return writer.node("DequantizeLinear", [level, scale], f"{name}/spike", notes=notes)
    levels = levels_at(bits, signed=node.signed)
    ends = [
        writer.constant(np.float32(end) * V, f"{name}/{what}")
        for what, end in (("low", levels.low), ("high", levels.high))
    ]
    zero = writer.constant((np.int8 if node.signed else np.uint8)(0), f"zero/{node.signed}")
    clipped = writer.node("Clip", [u, *ends], f"{name}/clip")
    level = writer.node("QuantizeLinear", [clipped, scale, zero], f"{name}/quantize", notes=notes)
    return writer.node("DequantizeLinear", [level, scale, zero], f"{name}/spike", notes=notes)


def _mean(writer: Writer, spikes: list[str], name: str) -> str:
    """In the order of the trained network: the sum first, then one division."""
    total = spikes[0]
    for step, spike in enumerate(spikes[1:], 1):
        total = writer.node("Add", [total, spike], f"{name}/sum{step}")
    if len(spikes) == 1:
        return total
    count = writer.constant(np.float32(len(spikes)), f"steps/{len(spikes)}")
    return writer.node("Div", [total, count], name)


def _operands(writer: Writer, node: LayerNode, reals: LayerReals) -> list[str]:
    """The dequantized weights and the bias."""
    assert reals.levels is not None  # noqa: S101 - narrows for the type checker; layers without are no operators
    signs_O = np.where(reals.gain_O < 0, -1, 1)
    levels = reals.levels * signs_O.reshape(-1, *[1] * (reals.levels.ndim - 1))
    scale_O = (reals.step_size_O * np.abs(reals.gain_O)).astype(np.float32)
    whole = writer.weights(levels, f"{node.name}/levels")
    scale = writer.constant(scale_O, f"{node.name}/weight_scale")
    notes = {"layer": node.name, "weight_bits": json.dumps(list(node.weight_bits))}
    weight = writer.node("DequantizeLinear", [whole, scale], f"{node.name}/weight", notes=notes, axis=0)
    after = [1] * (len(node.weight_shape) - 2)
    return [weight, writer.constant(reals.bias_O.astype(np.float32).reshape(-1, *after), f"{node.name}/bias")]


def _operate(writer: Writer, node: LayerNode, reals: LayerReals, inputs: list[str], place: int) -> str:
    """The bias is a node of its own: onnxruntime rounds that of a quantized Conv to multiples of V a |k|."""
    notes = {"layer": node.name, "annotation": json.dumps(annotation(node, reals))} if place == 0 else {}
    name = f"{node.name}/{place}"
    *operands, bias = inputs
    if node.op == "linear":
        sums = writer.node("Gemm", operands, name, notes=notes, transB=1)
    else:
        sums = _convolve(writer, node, operands, name, notes)
    return writer.node("Add", [sums, bias], f"{name}/biased")


def _convolve(writer: Writer, node: LayerNode, operands: list[str], name: str, notes: dict[str, str]) -> str:
    moves = node.geometry
    return writer.node(
        "Conv",
        operands,
        name,
        notes=notes,
        kernel_shape=node.weight_shape[2:],
        strides=moves.stride,
        pads=[*moves.padding, *moves.padding],
        dilations=moves.dilation,
        group=moves.groups,
    )


def unexpressed(network: RealNetwork) -> list[Unexpressed]:
    """What the model holds in another way than as a word of ONNX."""
    found = [
        Unexpressed(
            layer="",
            what="rounding half away from zero",
            instead="QuantizeLinear rounds halves to even: a potential exactly between two levels may differ",
        ),
        Unexpressed(
            layer="",
            what="exact arithmetic",
            instead="a runtime's float32 sums; the integer export is the exact form",
        ),
    ]
    for node in network.layers:
        found += _widths(node, network.reals[node.name])
    return found


def _widths(node: LayerNode, reals: LayerReals) -> list[Unexpressed]:
    odd = sorted({bits for bits in node.spike_bits if bits not in NATIVE_SPIKE_BITS})
    found = []
    if odd:
        instead = "8-bit levels behind a Clip to the range of the width; metadata spike_bits"
        found.append(Unexpressed(layer=node.name, what=f"spikes of {_bits(odd)}", instead=instead))
    odd = sorted({bits for bits in node.weight_bits if bits not in NATIVE_WEIGHT_BITS})
    if odd:
        instead = "levels in a wider type of 4 or 8 bits; metadata weight_bits"
        found.append(Unexpressed(layer=node.name, what=f"weights of {_bits(odd)}", instead=instead))
    if reals.levels is not None and (reals.gain_O == 0).any():
        instead = "their scale is 0, so that only levels tell them"
        found.append(Unexpressed(layer=node.name, what="channels whose norm has gain 0", instead=instead))
    return found


def _bits(widths: list[int]) -> str:
    listed = ", ".join(map(str, widths))
    return f"{listed} bit" if widths == [1] else f"{listed} bits"
