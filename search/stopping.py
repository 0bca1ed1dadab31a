"""Early stopping by the median rule: which trials end before their last epoch.

A trial of E epochs that trains given bits ends after epoch e, min_epoch <= e < E, if

    s(e) < m(e),    m(e) = median over its peers p of s_p(e)

with s(e) the validation score (search.objective) after epoch e. Its peers are the trials of the finished
rounds of its own study that trained given bits, did not fail and reached epoch e: those meant for the same
budget, or, where they are fewer than LEAST_PEERS, all those meant for no greater one. A dearer network is as
a rule the better one, so a trial that is behind cheaper ones has little to hope for, while one that is
behind dearer ones may be the best of its cost. With fewer than LEAST_PEERS there is no m(e), and the trial
goes on.

The medians are computed once, when a round is planned, and travel with the proposal as its bars. So whether
a trial ends early depends on finished rounds and its own training, never on timing, and a trial that is
resumed or repeated ends after the very same epoch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from search.strategy import FixedBits, Proposal

LEAST_PEERS = 3
BARS = "bars"
"""Where a proposal's note keeps them: {epoch: score}."""

Bars = Mapping[int, float]
"""The least score to go on with, by epoch; epochs count from 1."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Peer:
    """A trial of a finished round: the budget it was meant for, and its score after each epoch it trained."""

    budget: float
    scores: tuple[float, ...]


def bars_for(budget: float, peers: Sequence[Peer], *, min_epoch: int, epochs: int) -> Bars:
    """The bars of a trial that is meant for a budget."""
    found = ((epoch, _bar(budget, peers, epoch)) for epoch in range(min_epoch, epochs))
    return {epoch: bar for epoch, bar in found if bar is not None}


def with_bars(proposal: Proposal, peers: Sequence[Peer], *, min_epoch: int, epochs: int) -> Proposal:
    """The proposal with its bars; one that learns its bits has none, for its early epochs say nothing."""
    if not isinstance(proposal, FixedBits):
        return proposal
    bars = bars_for(proposal.note["budget"], peers, min_epoch=min_epoch, epochs=epochs)
    stored = {str(epoch): bar for epoch, bar in bars.items()}
    return replace(proposal, note={**proposal.note, BARS: stored}) if bars else proposal


def bars_of(note: Mapping[str, Any]) -> Bars:
    """The bars that a note keeps; none where it has no such thing."""
    return {int(epoch): bar for epoch, bar in note.get(BARS, {}).items()}


def without_bars(proposal: Mapping[str, Any]) -> dict[str, Any]:
    """A stored proposal that is trained to its end."""
    note = {name: value for name, value in proposal["note"].items() if name != BARS}
    return {**proposal, "note": note}


def why_stopped(bars: Bars, epoch: int, score: float) -> str | None:
    """Why a trial with that score ends after this epoch; None where it goes on."""
    bar = bars.get(epoch)
    if bar is None or score >= bar:
        return None
    return f"stopped after epoch {epoch}: its score {score:.4f} was below {bar:.4f}, the median of its peers"


def _bar(budget: float, peers: Sequence[Peer], epoch: int) -> float | None:
    there = [peer for peer in peers if len(peer.scores) >= epoch]
    for chosen in _choices(budget, there):
        if len(chosen) >= LEAST_PEERS:
            return median(peer.scores[epoch - 1] for peer in chosen)
    return None


def _choices(budget: float, peers: Sequence[Peer]) -> Iterator[list[Peer]]:
    yield [peer for peer in peers if peer.budget == budget]
    yield [peer for peer in peers if peer.budget <= budget]
