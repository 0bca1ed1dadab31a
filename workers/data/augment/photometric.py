"""Changes of brightness that leave every pixel in its place, for images of 0 to 1, [B, C, H, W].

brightness: f x     contrast: m + f (x - m), m the image's mean     both clipped to 0..1
posterize:  the highest n of 8 bits          solarize: 1 - x where x >= threshold
autocontrast: each channel stretched to 0..1     equalize: each channel's 256 levels spread evenly
"""

from __future__ import annotations

import torch

LEVELS = 256


def brightness(x_BCHW: torch.Tensor, factors_B: torch.Tensor) -> torch.Tensor:
    """Factor 0 is black, 1 the image itself."""
    return (x_BCHW * _each(factors_B)).clamp(0, 1)


def contrast(x_BCHW: torch.Tensor, factors_B: torch.Tensor) -> torch.Tensor:
    """Factor 0 is an even grey, 1 the image itself."""
    mean_B111 = x_BCHW.mean(dim=(1, 2, 3), keepdim=True)
    return mean_B111.lerp(x_BCHW, _each(factors_B)).clamp(0, 1)


def posterize(x_BCHW: torch.Tensor, bits_B: torch.Tensor) -> torch.Tensor:
    """Keep the highest 1 to 8 bits of every level; 8 keeps all."""
    step_B111 = 2 ** (8 - _each(bits_B))
    return ((_levels(x_BCHW) / step_B111).floor() * step_B111) / (LEVELS - 1)


def solarize(x_BCHW: torch.Tensor, thresholds_B: torch.Tensor) -> torch.Tensor:
    """Invert what is at least as bright as the threshold."""
    return torch.where(x_BCHW >= _each(thresholds_B), 1 - x_BCHW, x_BCHW)


def autocontrast(x_BCHW: torch.Tensor) -> torch.Tensor:
    """Stretch every channel from its darkest to its brightest pixel; an even channel stays as it is."""
    least, greatest = x_BCHW.amin(dim=(2, 3), keepdim=True), x_BCHW.amax(dim=(2, 3), keepdim=True)
    stretched = (x_BCHW - least) / (greatest - least)
    return torch.where(greatest > least, stretched, x_BCHW)


def equalize(x_BCHW: torch.Tensor) -> torch.Tensor:
    """Give every level the share of pixels that are no brighter; an even channel stays as it is.

    Counts come from a sort, not from a histogram: that adds up in no fixed order on a GPU.
    """
    levels_BCn = _levels(x_BCHW).flatten(2)
    pixels = levels_BCn.shape[-1]
    steps_BCL = torch.arange(LEVELS, device=x_BCHW.device, dtype=levels_BCn.dtype).expand(
        *levels_BCn.shape[:2], LEVELS
    )
    counts_BCL = torch.searchsorted(levels_BCn.sort(dim=-1).values, steps_BCL.contiguous(), right=True)
    counts_BCn = counts_BCL.gather(2, levels_BCn.long()).float()
    darkest = counts_BCn.amin(dim=-1, keepdim=True)
    spread = ((counts_BCn - darkest) / (pixels - darkest)).reshape(x_BCHW.shape)
    return torch.where((darkest < pixels)[..., None], spread, x_BCHW)


def _levels(x: torch.Tensor) -> torch.Tensor:
    """0 to 1 as whole numbers 0 to 255, still floats."""
    return (x.clamp(0, 1) * (LEVELS - 1)).round()


def _each(values_B: torch.Tensor) -> torch.Tensor:
    """One value per sample, to meet [B, C, H, W]."""
    return values_B[:, None, None, None]
