"""Weights as a stream of bits: each at the width of its layer, or of its output channel.

Weights [O, ...] stand in the order of C arrays, the last axis fastest. A level n of width B is the code

    B >= 2:  n in two's complement, that is n mod 2^B;  n in -Q..Q, Q = 2^(B-1) - 1
    B = 1:   1 for n = +1, 0 for n = -1

The codes follow each other without gaps, each with its least significant bit first. Bit i of the stream is
bit i mod 8 of byte floor(i / 8), where bit 0 is worth 1. Unused bits of the last byte are 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Levels = NDArray[np.int32]
Packed = NDArray[np.uint8]


def greatest_level(width: int) -> int:
    """Q of a weight bit width."""
    return max(1, (1 << (width - 1)) - 1)


def stream_bits(shape: Sequence[int], widths: Sequence[int]) -> int:
    """The length of the stream of weights of a shape [O, ...]; one width, or one for each of the O."""
    values = int(np.prod(shape[1:], dtype=np.int64))
    return values * (widths[0] * shape[0] if len(widths) == 1 else sum(widths))


def packed(levels: Levels, widths: Sequence[int]) -> Packed:
    """The bytes of a stream. Raises ValueError where a level is none of its width."""
    parts = [_bits(part.reshape(-1), width) for part, width in _parts(levels, widths)]
    return np.packbits(np.concatenate(parts), bitorder="little")


def unpacked(content: Packed, shape: Sequence[int], widths: Sequence[int]) -> Levels:
    """The levels of a stream. Raises ValueError where the bytes are no stream of this shape."""
    bits = stream_bits(shape, widths)
    if content.size != -(-bits // 8):
        raise ValueError(f"{content.size} bytes cannot hold exactly {bits} bits")
    stream = np.unpackbits(content, bitorder="little")
    if stream[bits:].any():
        raise ValueError("the unused bits of the last byte are not 0")
    levels = np.empty(tuple(shape), dtype=np.int32)
    at = 0
    for part, width in _parts(levels, widths):
        end = at + part.size * width
        part[...] = _levels(stream[at:end], width).reshape(part.shape)
        at = end
    return levels


def _parts(levels: Levels, widths: Sequence[int]) -> Iterator[tuple[Levels, int]]:
    """The stretches of one width: all weights, or a channel at a time."""
    if len(widths) == 1:
        return iter([(levels, widths[0])])
    return zip(levels, widths, strict=True)


def _bits(levels_N: Levels, width: int) -> NDArray[np.uint8]:
    Q = greatest_level(width)
    if levels_N.size and (np.abs(levels_N).max() > Q or (width == 1 and not levels_N.all())):
        raise ValueError(f"a weight is no level of {width} bits")
    codes = (levels_N > 0).astype(np.int32) if width == 1 else levels_N
    return ((codes[:, None] >> np.arange(width)) & 1).astype(np.uint8).reshape(-1)


def _levels(bits: NDArray[np.uint8], width: int) -> Levels:
    codes = np.zeros(bits.size // width, dtype=np.int32)
    for place, column in enumerate(bits.reshape(-1, width).T):
        codes |= column.astype(np.int32) << place
    if width == 1:
        return 2 * codes - 1
    levels = codes - ((codes >> (width - 1)) << width)
    if levels.size and levels.min() < -greatest_level(width):
        raise ValueError(f"a weight is no level of {width} bits")
    return levels
