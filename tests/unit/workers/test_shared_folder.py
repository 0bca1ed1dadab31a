"""A node that sees another folder at the same path is told apart."""

import pytest

from models.errors import InvalidInputError
from workers.shared_folder import mark_of, require_mark


def test_a_folder_keeps_its_mark_and_another_has_another(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    assert mark_of(here) == mark_of(here) != mark_of(there)
    require_mark(here, mark_of(here))


@pytest.mark.parametrize("make", [lambda folder: None, mark_of], ids=["no mark", "another mark"])
def test_another_folder_is_refused(make, tmp_path):
    mark = mark_of(tmp_path / "service")
    make(tmp_path / "node")
    with pytest.raises(InvalidInputError, match="sees another folder"):
        require_mark(tmp_path / "node", mark)
