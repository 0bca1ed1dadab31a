"""`bitfront fit`: the best point under several limits at once, or the nearest one and what to search next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from models.errors import InvalidInputError
from service.commands.fit_tables import fit_view
from service.commands.front import AsJson, JobName
from service.commands.shared import EXIT_NO_FIT, client_of, find_job, out, print_json

PANEL = "Limits, one or more"


def _limit(metric: str, words: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(
        f"--{metric.replace('_', '-')}", metavar="MAX", help=words, rich_help_panel=PANEL, show_default=False
    )
    return option


def fit(  # noqa: PLR0917 - Typer reads parameters, it does not call by position
    context: typer.Context,
    job: JobName,
    weight_kib: Annotated[float | None, _limit("weight_kib", "KiB of weights.")] = None,
    spike_kib: Annotated[float | None, _limit("spike_kib", "KiB of a layer's spikes.")] = None,
    cycles: Annotated[float | None, _limit("cycles", "Cycles per sample on the job's hardware.")] = None,
    energy_uj: Annotated[float | None, _limit("energy_uj", "Microjoules per sample on it.")] = None,
    table: Annotated[float | None, _limit("table", "The cost by the job's own table.")] = None,
    bit_budget: Annotated[float | None, _limit("bit_budget", "Mean Bw x mean Bs x mean T.")] = None,
    s_ace: Annotated[float | None, _limit("s_ace", "Bit operations.")] = None,
    ns_ace: Annotated[float | None, _limit("ns_ace", "Bit operations on nonzero spikes.")] = None,
    sops: Annotated[float | None, _limit("sops", "Synaptic operations.")] = None,
    maximum: Annotated[
        list[str] | None,
        typer.Option(
            "--max",
            metavar="METRIC=MAX",
            help="The same for a metric by name; may be repeated.",
            rich_help_panel=PANEL,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Find the best stored point that keeps ALL limits; exit 0 if one does, 5 if none does.

    Otherwise show the nearest point, by how much it misses each limit, and what to search next.
    """
    named = {
        "weight_kib": weight_kib,
        "spike_kib": spike_kib,
        "cycles": cycles,
        "energy_uj": energy_uj,
        "table": table,
        "bit_budget": bit_budget,
        "s_ace": s_ace,
        "ns_ace": ns_ace,
        "sops": sops,
    }
    maxima = _maxima({name: value for name, value in named.items() if value is not None}, maximum or ())
    client = client_of(context)
    found = client.fit(find_job(client, job).id, maxima)
    if as_json:
        print_json(found)
    else:
        out().print(fit_view(found), soft_wrap=True)
    if not found.fits:
        raise typer.Exit(EXIT_NO_FIT)


def _maxima(named: dict[str, float], given: Sequence[str]) -> dict[str, float]:
    """Every limit by its metric. Raises InvalidInputError where one is none, or there twice."""
    for text in given:
        name, _, value = text.partition("=")
        metric = name.strip().replace("-", "_")
        if metric in named:
            raise InvalidInputError(f"{metric} is limited twice.", fix="Give each metric once.")
        named[metric] = _number(text, value)
    if not named:
        raise InvalidInputError("no limit is given.", fix="Give one or more, such as --weight-kib 64.")
    return named


def _number(text: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        fix = "Write METRIC=MAX, such as --max weight_kib=64."
        raise InvalidInputError(f"{text!r} is no limit.", fix=fix) from None
