"""`bitfront prune`: remove checkpoints that the rule does not keep, or say which."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer

from service.commands.running import Home
from service.commands.shared import out, print_json, settings_with


def prune(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
    days: Annotated[
        float | None, typer.Option(min=0, help="Of trials that ended so long ago, in place of the setting.")
    ] = None,
    home: Home = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Remove checkpoints of ended trials that no front needs; the service does so by itself every hour."""
    settings = settings_with(home=home, checkpoint_days=days)
    from service.retention import prune as remove
    from service.retention import rule_of
    from service.store import Store

    with closing(Store.open(settings.database)) as store:
        found = remove(store, settings.checkpoint_place, rule_of(settings), dry_run=dry_run)
    if as_json:
        print_json(found)
        return
    done = "Would remove" if dry_run else "Removed"
    out().print(
        f"{done} {found.files} files of {found.trials} trials ({found.removed_bytes:,} bytes); "
        f"{found.left_bytes:,} bytes of ended trials {'would stay' if dry_run else 'stay'}."
    )
