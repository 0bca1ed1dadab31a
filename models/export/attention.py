"""Attention on integer spikes: sums of products of one step of each operand, head by head.

The spikes of an operand are V_t (n_t + z_t) at step t, so with n_T = 1 everywhere for the shifts (design
section 2, and `models.nets.attention`):

    images    q = sum_i c_i n_i,   c_i = V_i / T for i < T,   c_T = sum_t V_t z_t / T
              output = SCALE * (q k^T) v = sum_ijl M_ijl (n_i n'_j^T) n''_l,   M_ijl = SCALE c_i c'_j c''_l
    frames    frame t of the query meets those of the key regrouped to its frames, and the scores those of the
              value; regrouping is linear, so the terms of a frame of the output are products of the same kind

For N tokens and d channels of a head, no sum of (n_i n'_j^T) n''_l is greater than Q Q' Q'' d N.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise, product
from typing import Any

import torch

Mixed = Mapping[int, Fraction]
"""Coefficients of the levels of an operand, by step; that of all ones is at T."""
Term = tuple[int, int, int, int]


def mixed(thresholds: Sequence[Fraction], shifts: Sequence[Fraction], *, framed: bool) -> list[Mixed]:
    """What an operand gives: one mixture for images, one for each frame of event data."""
    T = len(thresholds)
    frames: list[Mixed] = [{t: V, T: V * z} for t, (V, z) in enumerate(zip(thresholds, shifts, strict=True))]
    return frames if framed else [_mean(frames)]


def terms_of(
    query: Sequence[Mixed], key: Sequence[Mixed], value: Sequence[Mixed], scale: Fraction
) -> dict[Term, Fraction]:
    """The factor of every product (t, i, j, l), but for those whose factor is 0."""
    scores = [_outer(q, k) for q, k in zip(query, regrouped(key, len(query)), strict=True)]
    found: dict[Term, Fraction] = {}
    for t, (pairs, v) in enumerate(zip(regrouped(scores, len(value)), value, strict=True)):
        for ((i, j), pair), (step, factor) in product(pairs.items(), v.items()):
            if pair * factor:
                found[t, i, j, step] = pair * factor * scale
    return found


def regrouped(frames: Sequence[Mapping[Any, Fraction]], count: int) -> list[Mapping[Any, Fraction]]:
    """Frames held or averaged to `count` of them, as models.functional.frames has it."""
    F = len(frames)
    starts = [t * F // count for t in range(count + 1)]
    if count >= F:
        return [frames[start] for start in starts[:-1]]
    return [_mean(frames[begin:end]) for begin, end in pairwise(starts)]


def products_of(highs: Sequence[Sequence[int]], terms: Any, *, reads: int) -> list[int]:
    """The greatest sum of each term; `highs` are the Q of each operand by step, `reads` is d N."""
    most = [[*one, 1] for one in highs]
    return [most[0][i] * most[1][j] * most[2][k] * reads for _, i, j, k in terms.tolist()]


def attended(
    operands: Sequence[Sequence[torch.Tensor]], heads: int, terms: Iterable[tuple[Term, float]], frames: int
) -> torch.Tensor:
    """[frames, B, D, H, W] of whole numbers in float64, from the levels [B, D, H, W] of every step."""
    maps = operands[0][0]
    queries, keys, values = ([_tokens(n, heads) for n in (*one, torch.ones_like(maps))] for one in operands)
    scores: dict[tuple[int, int], torch.Tensor] = {}
    found = [torch.zeros_like(values[0]) for _ in range(frames)]
    for (t, i, j, step), factor in terms:
        if (i, j) not in scores:
            scores[i, j] = queries[i] @ keys[j].transpose(-2, -1)
        found[t].add_(scores[i, j] @ values[step], alpha=factor)
    return torch.stack([one.transpose(-2, -1).reshape(maps.shape) for one in found])


def _tokens(n: torch.Tensor, heads: int) -> torch.Tensor:
    """Maps [B, D, H, W] as heads of tokens [B, h, N, d]."""
    B, D = n.shape[:2]
    return n.view(B, heads, D // heads, -1).transpose(-2, -1)


def _outer(query: Mixed, key: Mixed) -> Mapping[tuple[int, int], Fraction]:
    return {(i, j): c * d for (i, c), (j, d) in product(query.items(), key.items())}


def _mean(frames: Sequence[Mapping[Any, Fraction]]) -> dict[Any, Fraction]:
    steps = {step for frame in frames for step in frame}
    return {
        step: sum((frame.get(step, Fraction(0)) for frame in frames), Fraction(0)) / len(frames)
        for step in steps
    }
