"""Currents between layers, of which some are not computed until they are read.

What reads a current most often is one neuron. Its spikes and the current are then found in one pass over the
sums (`passes`), and the current itself, eight bytes for each value, is never written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from models.export.nodes import INPUT, AddNode
from models.export.operations import add

if TYPE_CHECKING:
    from models.export.passes import Passes


@dataclass(frozen=True, kw_only=True, slots=True)
class Pending:
    """A current without frames that is not computed yet: a layer's sums [T B, O, ...], and what is added."""

    passes: Passes
    sums: torch.Tensor
    shortcut: torch.Tensor | None = None

    def current(self) -> torch.Tensor:
        """[B, O, ...], float64."""
        found = self.passes.currents(self.sums)
        return found if self.shortcut is None else found.add_(self.shortcut)


class Currents:
    """The output of every node so far, by its name; `reads` says how often each is read in all."""

    def __init__(self, x: torch.Tensor, reads: Mapping[str, int]) -> None:
        self._found: dict[str, torch.Tensor | Pending] = {INPUT: x}
        self._reads = reads

    def __setitem__(self, name: str, value: torch.Tensor | Pending) -> None:
        self._found[name] = value

    def __getitem__(self, name: str) -> torch.Tensor:
        """A node's output, computed if it is not yet."""
        found = self._found[name]
        if isinstance(found, Pending):
            found = self._found[name] = found.current()
        return found

    def unread(self, name: str) -> torch.Tensor | Pending:
        """A node's output as it is."""
        return self._found[name]

    def read_once(self, name: str) -> bool:
        """Whether nothing else reads it, so that its memory may hold what is made of it."""
        return self._reads[name] == 1

    def sum_of(self, node: AddNode, *, framed: bool, fresh: bool) -> torch.Tensor | Pending:
        """The residual sum; `fresh`: the branch lies in memory of its own."""
        branch, once = self._found[node.branch], self.read_once(node.branch)
        if isinstance(branch, Pending) and branch.shortcut is None and once:
            return replace(branch, shortcut=self[node.shortcut])
        branch = self[node.branch]
        return add(branch, self[node.shortcut], framed=framed, into=branch if fresh and once else None)
