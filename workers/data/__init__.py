"""Data sets, their splits and mini-batches."""

from workers.data.images import (
    DatasetInfo,
    DatasetSource,
    LabelledArrays,
    LabelledImages,
    RawImages,
    Splits,
)
from workers.data.registry import datasets, load_splits

__all__ = [
    "DatasetInfo",
    "DatasetSource",
    "LabelledArrays",
    "LabelledImages",
    "RawImages",
    "Splits",
    "datasets",
    "load_splits",
]
