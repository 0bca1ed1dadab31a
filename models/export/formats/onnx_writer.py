"""Collects the nodes and constants of an ONNX graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx

MOST_INT4 = 7
"""The greatest magnitude that 4 bits hold on both sides."""


class Writer:
    """A graph that grows; a node's output has the node's name unless told."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}

    @property
    def initializers(self) -> list[onnx.TensorProto]:
        """The constants."""
        return list(self._constants.values())

    def node(
        self,
        op: str,
        inputs: Sequence[str],
        name: str,
        *,
        output: str | None = None,
        notes: Mapping[str, str] | None = None,
        **settings: Any,
    ) -> str:
        """Add a node; gives the name of its output. `notes` are kept beside it as metadata."""
        made = onnx.helper.make_node(op, inputs, [output or f"{name}:0"], name=name, **settings)
        for key, value in (notes or {}).items():
            entry = made.metadata_props.add()
            entry.key, entry.value = f"bitfront.{key}", value
        self.nodes.append(made)
        return output or f"{name}:0"

    def constant(self, value: Any, name: str) -> str:
        """Add a constant, once for each name; gives the name."""
        if name not in self._constants:
            self._constants[name] = onnx.numpy_helper.from_array(np.asarray(value), name)
        return name

    def weights(self, levels: Any, name: str) -> str:
        """Add whole weights, two in a byte where 4 bits hold them."""
        if np.abs(levels).max(initial=0) > MOST_INT4:
            return self.constant(levels.astype(np.int8), name)
        if name not in self._constants:
            kind = onnx.TensorProto.INT4
            self._constants[name] = onnx.helper.make_tensor(name, kind, levels.shape, levels.flatten())
        return name
