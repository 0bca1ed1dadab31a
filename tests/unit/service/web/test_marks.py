"""Methods stay apart by colour and by symbol."""

from __future__ import annotations

from service.web.marks import marks


def test_methods_differ_in_colour_and_in_symbol() -> None:
    found = marks(
        [
            *("gradient", "gradient-front", "gradient-targets", "optuna-tpe", "optuna-nsga2"),
            *("random", "uniform", "hybrid"),
        ]
    )
    assert len({mark.light for mark in found.values()}) == 8
    assert len({mark.dark for mark in found.values()}) == 8
    assert len({mark.path for mark in found.values()}) == 8


def test_unknown_methods_get_marks_of_their_own() -> None:
    found = marks(["mine", "yours", "gradient", "uniform"])
    assert len({(mark.light, mark.path) for mark in found.values()}) == 4
