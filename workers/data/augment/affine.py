"""Affine changes of place: rotation, shear and translation, with zeros (black, no events) from outside.

y(p) = x(A p + b),   p = (column, row) from the middle, in half sides (-1 to 1), interpolated bilinearly
"""

from __future__ import annotations

import math

import torch
from torch.nn import functional


def affine(x: torch.Tensor, matrices_B23: torch.Tensor) -> torch.Tensor:
    """Every sample looked at through its own (A | b)."""
    flat = x.reshape(-1, *x.shape[-3:])  # frames and samples as one axis, frames first
    grid = functional.affine_grid(matrices_B23.to(x.dtype), [x.shape[-4], *x.shape[-3:]], align_corners=False)
    grids = grid.repeat(len(flat) // len(grid), 1, 1, 1)
    return functional.grid_sample(flat, grids, align_corners=False).reshape(x.shape)


def rotation(degrees_B: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Matrices [B, 2, 3] that turn a map; right angles stay right on maps that are not square."""
    angle_B = degrees_B * (math.pi / 180)
    sine_B, cosine_B, zero_B = angle_B.sin(), angle_B.cos(), torch.zeros_like(angle_B)
    return _stacked(
        (cosine_B, -sine_B * height / width, zero_B),
        (sine_B * width / height, cosine_B, zero_B),
    )


def shear(columns_B: torch.Tensor, rows_B: torch.Tensor) -> torch.Tensor:
    """Matrices [B, 2, 3] that move columns with the row, and rows with the column."""
    one_B, zero_B = torch.ones_like(rows_B), torch.zeros_like(rows_B)
    return _stacked((one_B, columns_B, zero_B), (rows_B, one_B, zero_B))


def translation(columns_B: torch.Tensor, rows_B: torch.Tensor) -> torch.Tensor:
    """Matrices [B, 2, 3] that move a map left and up by shares of its width and height."""
    one_B, zero_B = torch.ones_like(rows_B), torch.zeros_like(rows_B)
    return _stacked((one_B, zero_B, 2 * columns_B), (zero_B, one_B, 2 * rows_B))


def _stacked(*rows: tuple[torch.Tensor, ...]) -> torch.Tensor:
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)
