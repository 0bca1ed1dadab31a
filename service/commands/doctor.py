"""`bitfront doctor`: what works on this machine, and what to do about what does not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from service.commands.shared import EXIT_FAILED, client_of, out, print_json, settings_with

if TYPE_CHECKING:
    from service.doctor import Check, Diagnosis

MARKS = {"fine": ("✓", "green"), "note": ("!", "yellow"), "wrong": ("✗", "red")}


def doctor(
    context: typer.Context,
    home: Annotated[Path | None, typer.Option(help="The home folder that is looked at.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Look at everything that a search needs here, and say what to do; exit 1 if something is wrong."""
    from service.doctor import diagnose

    client = client_of(context)

    def answers() -> str:
        return f"{client.url} is {client.ready()['status']}"

    found = diagnose(settings_with(home=home), answers)
    if as_json:
        print_json(found)
    else:
        out().print(diagnosis_view(found), soft_wrap=True)
    if not found.works:
        raise typer.Exit(EXIT_FAILED)


def diagnosis_view(found: Diagnosis) -> RenderableType:
    """A line per check, and below it what to do."""
    ending = "Bitfront works here." if found.works else "Something is wrong: see ✗ above."
    return Group(*(_lines(check) for check in found.checks), Text(ending, style="bold"))


def _lines(check: Check) -> Text:
    mark, colour = MARKS[check.verdict]
    text = Text.assemble((mark, colour), " ", (check.name, "bold"), f": {check.found}")
    return text.append(f"\n    {check.fix}", style="dim") if check.fix else text
