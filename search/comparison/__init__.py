"""Methods of one search against each other, at equal compute, over seeds (design section 5)."""

from search.comparison.attained import Accuracy, Found
from search.comparison.compare import compare
from search.comparison.intervals import Interval
from search.comparison.results import (
    AtBudget,
    Comparison,
    CurvePoint,
    MethodResult,
    Outcome,
    Pair,
    StudyRecord,
)

__all__ = [
    "Accuracy",
    "AtBudget",
    "Comparison",
    "CurvePoint",
    "Found",
    "Interval",
    "MethodResult",
    "Outcome",
    "Pair",
    "StudyRecord",
    "compare",
]
