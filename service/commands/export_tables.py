"""What `bitfront verify` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from models.export.packing import stream_bits

if TYPE_CHECKING:
    from models.export import Export
    from models.export.compare import LayerTally
    from models.export.nodes import LayerNode
    from workers.exporting import Verification

BITS_PER_KIB = 8 * 1024


def show(console: Console, export: Export, verification: Verification) -> None:
    """The layers, the costs, the accuracy and the verdict."""
    console.print(_layers(export, verification))
    console.print(_costs(export, verification))
    result = verification.comparison
    console.print(
        f"Test accuracy: {result.correct} of {result.samples} = {result.correct / result.samples:.6f}"
    )
    console.print(_predictions("float64", result.predictions_differ_float64, result.samples))
    console.print(_predictions("float32, as trained", result.predictions_differ_float32, result.samples))
    if result.predictions_differ_float32 > result.predictions_differ_float64:
        console.print("Where float32 alone differs, it rounded its own sums.")
    console.print(_spikes(verification))
    console.print("[green]Equal.[/green]" if verification.comparison.equal else "[red]Not equal.[/red]")


def _predictions(of: str, differ: int, samples: int) -> str:
    return f"Predictions equal to the trained network's in {of}: {samples - differ} of {samples}"


def _spikes(verification: Verification) -> str:
    layers = verification.comparison.layers.values()
    values = sum(tally.values for tally in layers)
    single = sum(tally.differ_float32 for tally in layers)
    double = sum(tally.differ_float64 for tally in layers)
    unexplained = sum(tally.unexplained for tally in layers)
    return (
        f"Spikes that differ, of {values:,}: {double:,} from float64 ({unexplained:,} beyond the bound), "
        f"{single:,} from float32, whose sums are rounded"
    )


def _layers(export: Export, verification: Verification) -> Table:
    columns = (
        "layer",
        "T",
        "Bs",
        "Bw",
        "weights KiB",
        "spike bits/sample",
        "nonzero/sample",
        "≠ float64",
        "≠ float32",
    )
    table = Table(*columns, title="Integers that moved (spikes per sample)")
    for node in export.layers:
        tally = verification.comparison.layers[node.name]
        table.add_row(*_row(node, tally, verification.comparison.samples))
    return table


def _row(node: LayerNode, tally: LayerTally, samples: int) -> list[str]:
    widths = node.weight_bits
    bits = stream_bits(node.weight_shape, widths) if widths else 0
    mean = f"{sum(widths) / len(widths):g}" if widths else "-"
    moved = tally.values // samples // node.steps * sum(node.spike_bits)
    return [
        node.name,
        str(node.steps),
        ",".join(str(width) for width in node.spike_bits),
        mean,
        f"{bits / BITS_PER_KIB:.2f}",
        f"{moved:,}",
        f"{sum(tally.nonzero_T) / samples:,.1f}",
        f"{tally.differ_float64:,}",
        f"{tally.differ_float32:,}",
    ]


def _costs(export: Export, verification: Verification) -> Table:
    table = Table(
        "cost",
        "scope",
        "stored",
        "measured",
        title="Costs (ns_ace and sops: stored on validation, measured on test)",
    )
    stored = export.facts.get("costs")
    for scope, measured in verification.costs.items():
        for metric, value in measured.items():
            table.add_row(metric, scope, _known(stored, scope, metric), f"{value:.6g}")
    return table


def _known(stored: Any, scope: str, metric: str) -> str:
    """A cost that the manifest tells; it may hold anything there."""
    costs = stored.get(scope) if isinstance(stored, dict) else None
    known = costs.get(metric) if isinstance(costs, dict) else None
    return f"{known:.6g}" if isinstance(known, int | float) else "-"
