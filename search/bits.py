"""The bits of a job: the bounds that every method searches in, and how the gradient methods learn them."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field, ValidationInfo, field_validator

from models.allocation import Bounds, WeightPer
from models.functional import StepsGradient
from models.layers import InitialBits, Quantity
from search.fields import Model, without_repeats

GREATEST_BITS: Mapping[str, int] = {"weight": 8, "spike": 8, "steps": 16}
ORDER: tuple[Quantity, ...] = ("weight", "spike", "steps")


class InitialBitsSpec(Model):
    """Where learned bits start; clipped to the bounds."""

    weight: int = Field(default=4, ge=1, le=GREATEST_BITS["weight"])
    spike: int = Field(default=4, ge=1, le=GREATEST_BITS["spike"])
    steps: int = Field(default=2, ge=1, le=GREATEST_BITS["steps"])


class BitsSpec(Model):
    """Inclusive bounds of the weight bits, spike bits and steps of every searched layer.

    `learn` names what the gradient methods learn; they keep the rest where it starts. `weight_per` says
    whether they learn one weight bit width per layer or one per output channel; other methods choose one
    per layer. `steps_gradient` is the form of dT by which steps learn (models.functional.fire).
    """

    weight: tuple[int, int] = (1, 8)
    spike: tuple[int, int] = (1, 6)
    steps: tuple[int, int] = (1, 4)
    search_first_layer: bool = False
    learn: tuple[Quantity, ...] = Field(default=ORDER, min_length=1)
    initial: InitialBitsSpec = InitialBitsSpec()
    weight_per: WeightPer = "layer"
    steps_gradient: StepsGradient = Field(default="divisor", exclude_if=lambda form: form == "divisor")

    @field_validator("weight", "spike", "steps")
    @classmethod
    def _ordered(cls, value: tuple[int, int], info: ValidationInfo) -> tuple[int, int]:
        low, high = value
        top = GREATEST_BITS[str(info.field_name)]
        if not 1 <= low <= high <= top:
            raise ValueError(
                f"[{low}, {high}] is out of range; use [least, greatest] with 1 <= least <= greatest <= {top}"
            )
        return value

    @field_validator("learn")
    @classmethod
    def _in_order(cls, values: tuple[Quantity, ...]) -> tuple[Quantity, ...]:
        """Once each, and in one order, so that equal choices are equal jobs."""
        return tuple(sorted(without_repeats(values), key=ORDER.index))

    def bounds(self) -> Bounds:
        """The bounds as the models package knows them, per layer, as all but the gradient methods search."""
        return Bounds(weight=self.weight, spike=self.spike, steps=self.steps)

    def initial_bits(self) -> InitialBits:
        """Where learned bits start, as the models package knows it."""
        return InitialBits(weight=self.initial.weight, spike=self.initial.spike, steps=self.initial.steps)
