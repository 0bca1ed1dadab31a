"""A residual sum may lie in the place of its shortcut once nothing else reads that, and only then."""

import pytest
import torch

from models.export.arithmetic import NoOperation
from models.export.nodes import AddNode
from models.export.passes import TorchPasses
from models.export.pending import Currents, Pending
from models.functional.levels import levels_at

SUM = AddNode(name="sum", branch="branch", shortcut="shortcut")


def summed(readers, own):
    """The sum of two currents, of which the branch is not computed yet."""
    passes = TorchPasses(
        thresholds=[1.0],
        levels=[levels_at(4, signed=False)],
        multiplier_TO=torch.full((1, 2), 3.0, dtype=torch.float64),
        bias_O=torch.ones(2, dtype=torch.float64),
        framed=False,
    )
    values = Currents(torch.zeros(1, 2), {"branch": ["sum"], "shortcut": readers})
    values["branch"] = Pending(passes=passes, operation=NoOperation(), n=torch.tensor([[1.0, 2.0]]))
    values["shortcut"] = torch.tensor([[10.0, 20.0]], dtype=torch.float64)
    return values.sum_of(SUM, framed=False, own=own)


@pytest.mark.parametrize(
    ("readers", "own", "spent"),
    [
        (["conv", "sum"], {"shortcut"}, True),
        (["sum", "conv"], {"shortcut"}, False),
        (["conv", "sum"], set(), False),
    ],
)
def test_a_shortcut_is_spent_after_its_last_reader(readers, own, spent):
    found = summed(readers, own)
    assert found.spent == spent
    assert found.current().tolist() == [[14.0, 27.0]]
