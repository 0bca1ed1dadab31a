"""What every part of a job is made of: strict models, names and settings."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Setting = bool | int | float | str


class Model(BaseModel):
    """Base of every part of a job: unknown fields, NaN and infinities are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def without_repeats(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """The values, unless one of them is there twice."""
    if len(set(values)) != len(values):
        raise ValueError("the same value is there twice; name each once")
    return values
