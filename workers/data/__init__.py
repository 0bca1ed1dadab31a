"""Data sets, their splits and mini-batches."""

from workers.data.images import (
    DatasetInfo,
    DatasetSource,
    LabelledArrays,
    RawImages,
    Splits,
)
from workers.data.registry import datasets, describe, load_splits
from workers.data.samples import Samples, Streamed

__all__ = [
    "DatasetInfo",
    "DatasetSource",
    "LabelledArrays",
    "RawImages",
    "Samples",
    "Splits",
    "Streamed",
    "datasets",
    "describe",
    "load_splits",
]
