"""From a trained network to an integer one.

    M_t,c = fixed(V_t * a_c * k_c / T) for images, fixed(V_t * a_c * k_c) for the frames of event data
    b_c = fixed(b_c),   V_t = max(1, fixed(V_t)),   Z_t = fixed(V_t * z_t)
    N_t,c = fixed(V_t * z_t * a_c * k_c / T), as M_t,c

in units of 2^-F. F is the greatest, at most MOST_FRACTION_BITS, at which no number can become too large
(`bounds`) and samples may reach LEAST_SAMPLE_RANGE.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from models.errors import ExportUnsupportedError
from models.export.attention import Term
from models.export.bounds import RangeError, bounds_of
from models.export.fixed_point import fixed
from models.export.integers import AttentionIntegers, Export, InputSpec, LayerIntegers
from models.export.lower import lowered
from models.export.lower_layers import LayerReals, Lowered
from models.export.nodes import LayerNode
from models.export.shapes import ShapeError
from models.nets.network import Network

MOST_FRACTION_BITS, LEAST_FRACTION_BITS = 38, 12
INPUT_BITS = 50
"""Input currents stay below 2^INPUT_BITS units, divided by the frames and steps that they add up over."""
LEAST_SAMPLE_RANGE = 2**12


def make_export(network: Network, given: InputSpec, facts: Mapping[str, Any] | None = None) -> Export:
    """The integer form of a trained network.

    `given` says what samples are; its limit is found here. Raises ExportUnsupportedError, naming the part.
    """
    return export_of_graph(lowered(network), given, facts)


def export_of_graph(graph: Lowered, given: InputSpec, facts: Mapping[str, Any] | None = None) -> Export:
    """The same of a network that is lowered already."""
    for fraction_bits in range(MOST_FRACTION_BITS, LEAST_FRACTION_BITS - 1, -1):
        try:
            return _at(graph, given, fraction_bits, facts or {})
        except RangeError as error:
            refusal = error
        except ShapeError as error:
            raise ExportUnsupportedError(
                f"{error}.", fix="docs/export.md lists what can be exported."
            ) from error
    raise ExportUnsupportedError(
        f"{refusal} units of 2^-{LEAST_FRACTION_BITS}, which is too much for 64-bit numbers.",
        fix="Fewer bits or smaller scales would do.",
    )


def _at(graph: Lowered, given: InputSpec, fraction_bits: int, facts: Mapping[str, Any]) -> Export:
    """The export with F fraction bits. Raises RangeError and ShapeError."""
    nodes = tuple(graph.nodes)
    integers = {
        node.name: _integers(node, graph.reals[node.name], fraction_bits, framed=given.frames > 0)
        for node in nodes
        if isinstance(node, LayerNode)
    }
    limit = 2**INPUT_BITS // max(given.frames, *(node.steps for node in nodes if isinstance(node, LayerNode)))
    if limit < LEAST_SAMPLE_RANGE * 2**fraction_bits:
        raise RangeError("samples")
    export = Export(
        fraction_bits=fraction_bits,
        input=replace(given, limit=limit),
        nodes=nodes,
        integers=integers,
        attentions={name: _attention(terms, fraction_bits) for name, terms in graph.terms.items()},
        facts=facts,
    )
    bounds_of(nodes, export.edges, integers, limit, export.attentions)
    return export


def _integers(node: LayerNode, reals: LayerReals, fraction_bits: int, *, framed: bool) -> LayerIntegers:
    divisor = 1 if framed else node.steps
    scales_O = [Fraction(a) * Fraction(k) for a, k in zip(reals.step_size_O, reals.gain_O, strict=True)]
    thresholds_T = reals.thresholds
    shifts_T = [V * z for V, z in zip(thresholds_T, reals.shifts, strict=True)]

    def scaled(values_T: list[Fraction]) -> Any:
        return _whole(
            [[fixed(value * scale / divisor, fraction_bits) for scale in scales_O] for value in values_T]
        )

    return LayerIntegers(
        levels=reals.levels,
        multiplier_TO=scaled(thresholds_T),
        bias_O=_whole([fixed(b, fraction_bits) for b in reals.bias_O]),
        threshold_T=_whole([max(1, fixed(V, fraction_bits)) for V in thresholds_T]),
        shift_T=_whole([fixed(Z, fraction_bits) for Z in shifts_T]) if node.shifted else None,
        offset_TO=scaled(shifts_T) if node.shifted else None,
    )


def _attention(terms: Mapping[Term, Fraction], fraction_bits: int) -> AttentionIntegers:
    return AttentionIntegers(
        terms_K4=_whole(list(terms)), multiplier_K=_whole([fixed(M, fraction_bits) for M in terms.values()])
    )


def _whole(values: Any) -> Any:
    """As 64-bit integers. Raises RangeError where they do not fit."""
    try:
        return np.array(values, dtype=np.int64)
    except OverflowError:
        raise RangeError("a scale") from None
