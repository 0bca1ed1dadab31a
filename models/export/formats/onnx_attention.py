"""Attention of an ONNX model: (q k^T) v * SCALE on heads of tokens, as `models.nets.attention` has it."""

from __future__ import annotations

import numpy as np

from models.export.formats.onnx_writer import Writer
from models.nets.attention import SCALE

TOKENS_FIRST = [0, 1, 3, 2]


def tokens_of(writer: Writer, maps: str, heads: int, channels: int) -> str:
    """Maps [N, D, H, W] as heads of tokens [N, h, H W, D / h]."""
    shape = writer.constant(
        np.array([0, heads, channels // heads, -1], np.int64), f"heads/{heads}/{channels}"
    )
    split = writer.node("Reshape", [maps, shape], f"{maps}/heads")
    return _turned(writer, split, f"{maps}/tokens")


def scores_of(writer: Writer, query: str, key: str, name: str) -> str:
    """q k^T."""
    return writer.node("MatMul", [query, _turned(writer, key, f"{name}/key")], name)


def context_of(writer: Writer, scores: str, value: str, name: str, shape: tuple[int, ...]) -> str:
    """The scores times v and SCALE, as maps [N, D, H, W] of a shape [D, H, W]."""
    found = writer.node("MatMul", [scores, value], f"{name}/sums")
    scaled = writer.node(
        "Mul", [found, writer.constant(np.float32(SCALE), "attention/scale")], f"{name}/scaled"
    )
    maps = writer.constant(np.array([0, *shape], np.int64), f"{name}/shape")
    return writer.node("Reshape", [_turned(writer, scaled, f"{name}/channels"), maps], name)


def _turned(writer: Writer, value: str, name: str) -> str:
    return writer.node("Transpose", [value], name, perm=TOKENS_FIRST)
