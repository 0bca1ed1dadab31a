"""What a network is built from: its input, and settings that are checked before anything is built."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, assert_never

from torch import nn

from models.allocation import FIRST_LAYER_BITS, LayerBits
from models.errors import InvalidInputError
from models.layers import LayerOptions

SettingValue = bool | int | float | str


@dataclass(frozen=True, kw_only=True, slots=True)
class WholeSetting:
    """A whole number with its default and inclusive bounds."""

    default: int
    minimum: int
    maximum: int
    kind: Literal["whole"] = "whole"


@dataclass(frozen=True, kw_only=True, slots=True)
class RealSetting:
    """A real number with its default and inclusive bounds."""

    default: float
    minimum: float
    maximum: float
    kind: Literal["real"] = "real"


@dataclass(frozen=True, kw_only=True, slots=True)
class ChoiceSetting:
    """One of a few words."""

    default: str
    choices: tuple[str, ...]
    kind: Literal["choice"] = "choice"


Setting = WholeSetting | RealSetting | ChoiceSetting


def width_setting(default: int) -> WholeSetting:
    """The channels of a network's first stage, which all others follow."""
    return WholeSetting(default=default, minimum=1, maximum=512)


@dataclass(frozen=True, kw_only=True, slots=True)
class NetworkInput:
    """What every architecture is given beside its settings; `sample_shape` is [C, H, W].

    `frames` counts the frames of event data; 0 for images, which have none.
    """

    sample_shape: tuple[int, int, int]
    classes: int
    options: LayerOptions
    search_first_layer: bool
    frames: int = 0

    @property
    def first_layer(self) -> LayerBits | None:
        """The bits of the first layer: 8/8 at one step, or at every frame of event data; None if searched."""
        if self.search_first_layer:
            return None
        if not self.frames:
            return FIRST_LAYER_BITS
        return LayerBits.uniform(steps=self.frames, spike_bits=8, weight_bits=8)


Build = Callable[[NetworkInput, Mapping[str, SettingValue]], nn.Module]
"""Makes a body for `Network`, or what `adapt` gives, of an input and checked settings."""


def checked(known: Mapping[str, Setting], given: Mapping[str, SettingValue]) -> dict[str, SettingValue]:
    """The settings with defaults filled in. Raises InvalidInputError with field, bound and fix."""
    for name, value in given.items():
        if name not in known:
            raise InvalidInputError(
                f"there is no setting {name!r}.",
                fix=f"Use {', '.join(known) or 'no settings'}.",
                pointer=f"/architecture/{name}",
            )
        if (fix := _fix(known[name], value)) is not None:
            raise InvalidInputError(f"{name} is {value!r}.", fix=fix, pointer=f"/architecture/{name}")
    return {name: given.get(name, setting.default) for name, setting in known.items()}


def _fix(setting: Setting, value: SettingValue) -> str | None:
    """What to give instead of a value; None where it will do."""
    match setting:
        case WholeSetting(minimum=least, maximum=most):
            fits = isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
            return None if fits else f"Use a whole number from {least} to {most}."
        case RealSetting(minimum=low, maximum=high):
            fits = isinstance(value, (int, float)) and not isinstance(value, bool)
            fits = fits and math.isfinite(value) and low <= value <= high  # type: ignore[arg-type,operator]  # a number, as the line before found
            return None if fits else f"Use a number from {low:g} to {high:g}."
        case ChoiceSetting(choices=choices):
            return None if value in choices else f"Use one of {', '.join(choices)}."
        case _:
            assert_never(setting)
