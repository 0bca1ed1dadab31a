"""The progress of a batch until all its jobs have ended."""

from __future__ import annotations

import time

from rich.console import Console
from rich.live import Live

from service.batches.views import BatchView
from service.client import BitfrontClient
from service.commands.batch_tables import batch_view, headline, states_line
from service.commands.shared import out
from service.commands.watch import PLAIN_SECONDS


def follow(client: BitfrontClient, batch_id: str, *, quiet: bool = False) -> BatchView:
    """Show a batch's progress until it has ended; the batch as it ended."""
    console = out()
    if quiet:
        return client.wait_batch(batch_id)
    return _live(client, batch_id, console) if console.is_terminal else _lines(client, batch_id, console)


def _live(client: BitfrontClient, batch_id: str, console: Console) -> BatchView:
    states = client.batch_progress(batch_id)
    found = next(states)
    with Live(batch_view(found), console=console, auto_refresh=False) as live:
        for found in states:
            live.update(batch_view(found), refresh=True)
    return found


def _lines(client: BitfrontClient, batch_id: str, console: Console) -> BatchView:
    """A line at first, when the state changes, and now and then."""
    states = client.batch_progress(batch_id)
    found = next(states)
    _print(console, found)
    shown, shown_at = found, time.monotonic()
    for found in states:
        if found.state != shown.state or time.monotonic() - shown_at >= PLAIN_SECONDS:
            _print(console, found)
            shown, shown_at = found, time.monotonic()
    return found


def _print(console: Console, found: BatchView) -> None:
    console.print(f"{headline(found)}; {states_line(found)}", markup=False, soft_wrap=True)
