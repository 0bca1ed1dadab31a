"""What a network is built from: its input, and settings that are checked before anything is built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from models.allocation import FIRST_LAYER_BITS, LayerBits
from models.errors import InvalidInputError
from models.layers import LayerOptions

SettingValue = bool | int | float | str


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """A whole-number setting of an architecture with its default and inclusive bounds."""

    default: int
    minimum: int
    maximum: int


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


def checked(known: Mapping[str, Setting], given: Mapping[str, SettingValue]) -> dict[str, SettingValue]:
    """The settings with defaults filled in. Raises InvalidInputError with field, bound and fix."""
    for name, value in given.items():
        if name not in known:
            raise InvalidInputError(
                f"there is no setting {name!r}.",
                fix=f"Use {', '.join(known) or 'no settings'}.",
                pointer=f"/architecture/{name}",
            )
        _check(name, known[name], value)
    return {name: given.get(name, setting.default) for name, setting in known.items()}


def _check(name: str, setting: Setting, value: SettingValue) -> None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not setting.minimum <= int(value) <= setting.maximum:
        raise InvalidInputError(
            f"{name} is {value!r}.",
            fix=f"Use a whole number from {setting.minimum} to {setting.maximum}.",
            pointer=f"/architecture/{name}",
        )
