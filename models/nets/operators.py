"""The adaptive operators that the networks are made of."""

from __future__ import annotations

from torch import nn

from models.layers import AdaptiveLayer
from models.nets.setting import NetworkInput


def adaptive_conv(
    entering: int,
    leaving: int,
    stride: int,
    given: NetworkInput,
    *,
    kernel: int = 3,
    first: bool = False,
) -> AdaptiveLayer:
    """A square adaptive convolution without bias that keeps the map but for its stride.

    The first of a network sees a signed image at fixed bits, unless it is searched.
    """
    operator = nn.Conv2d(entering, leaving, kernel, stride=stride, padding=kernel // 2, bias=False)
    nn.init.kaiming_normal_(operator.weight, mode="fan_out", nonlinearity="relu")
    return AdaptiveLayer(
        operator,
        options=given.options,
        fixed=given.first_layer if first else None,
        signed=first,
    )


def adaptive_linear(
    entering: int, leaving: int, given: NetworkInput, *, first: bool = False
) -> AdaptiveLayer:
    """An adaptive matrix product with bias; the first of a network as above."""
    return AdaptiveLayer(
        nn.Linear(entering, leaving),
        options=given.options,
        fixed=given.first_layer if first else None,
        signed=first,
    )
