"""What to search next in words, and as a command."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from search.fit import Change
from search.fit_next import Advice

SENTENCES: Mapping[Change, str] = {
    "search": "The network can keep these limits: search with them as the job's budget and constraints.",
    "more_trials": "The job searches under these limits already: wait for it to end, or give it more trials.",
    "widen_bits": "The network can keep these limits with fewer bits than the job allows: begin at 1.",
    "include_first": "The network can keep these limits if its first layer is searched too, from 1 bit on.",
    "smaller_network": "No bits of this network keep these limits: search a smaller one (fewer channels or "
    "layers), or raise the limits that are below the least cost.",
    "reference_rates": "Whether the network can keep these limits is known once it is trained.",
}


def sentence(advice: Advice) -> str:
    """The advice, with what it leaves out."""
    said = SENTENCES[advice.change]
    if not advice.unforeseen:
        return said
    names = ", ".join(limit.metric for limit in advice.unforeseen)
    return (
        f"{said} {names} depends on how many spikes are not zero, which is measured; to search under it, "
        "give the job reference_rates near those of a point (bitfront front JOB, GET /v1/points/ID)."
    )


def command(job_id: str, patch: Mapping[str, Any]) -> str:
    """`bitfront clone` with a merge patch, as a shell takes it."""
    fields = (f"--set {shlex.quote(f'{place}={_value(value)}')}" for place, value in _leaves(patch))
    return " ".join(["bitfront clone", job_id, *fields])


def _leaves(patch: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in patch.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _value(value: Any) -> str:
    return json.dumps(value)
