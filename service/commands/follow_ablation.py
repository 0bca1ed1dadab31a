"""The progress of an ablation until all its jobs have ended."""

from __future__ import annotations

import time
from collections.abc import Iterator

from rich.console import Console
from rich.live import Live
from rich.text import Text

from service.ablations.views import ENDED_ABLATION_STATES, AblationView
from service.client import BitfrontClient
from service.commands.ablation_tables import headline
from service.commands.shared import out
from service.commands.watch import PLAIN_SECONDS, TICK_SECONDS


def follow(client: BitfrontClient, ablation_id: str, *, quiet: bool = False) -> AblationView:
    """Show an ablation's progress until it has ended; the ablation as it ended."""
    console = out()
    if quiet:
        return _last(_states(client, ablation_id))
    return (
        _live(client, ablation_id, console) if console.is_terminal else _lines(client, ablation_id, console)
    )


def _states(client: BitfrontClient, ablation_id: str) -> Iterator[AblationView]:
    found = client.ablation(ablation_id)
    while found.state not in ENDED_ABLATION_STATES:
        yield found
        time.sleep(TICK_SECONDS)
        found = client.ablation(ablation_id)
    yield found


def _live(client: BitfrontClient, ablation_id: str, console: Console) -> AblationView:
    states = _states(client, ablation_id)
    found = next(states)
    with Live(Text(headline(found)), console=console, auto_refresh=False) as live:
        for found in states:
            live.update(Text(headline(found)), refresh=True)
    return found


def _lines(client: BitfrontClient, ablation_id: str, console: Console) -> AblationView:
    """A line now and then; the table that follows tells of the end."""
    shown_at = float("-inf")
    for found in _states(client, ablation_id):
        if found.state not in ENDED_ABLATION_STATES and time.monotonic() - shown_at >= PLAIN_SECONDS:
            console.print(headline(found), markup=False, soft_wrap=True)
            shown_at = time.monotonic()
    return found


def _last(states: Iterator[AblationView]) -> AblationView:
    found = next(states)
    for found in states:  # noqa: B007 - the last one is the answer
        pass
    return found
