"""Lower attention to the terms of its products (`attention`), from what its operands fire."""

from __future__ import annotations

from fractions import Fraction

from models.export.attention import mixed, terms_of
from models.export.lower_layers import Lowered
from models.export.nodes import AttentionNode
from models.nets.attention import SCALE, SpikingAttention


def attention(part: SpikingAttention, name: str, graph: Lowered) -> str:
    """Add the node behind the three operands, which are there already."""
    node, names = f"{name}.context", [f"{name}.{operand}" for operand in ("query", "key", "value")]
    query, key, value = names
    reals, framed = [graph.reals[operand] for operand in names], part.query.neuron.temporal
    q, k, v = (mixed(one.thresholds, one.shifts, framed=framed) for one in reals)
    graph.terms[node] = terms_of(q, k, v, Fraction(SCALE))
    return graph.add(
        AttentionNode(
            name=node, query=query, key=key, value=value, heads=part.heads, terms=len(graph.terms[node])
        )
    )
