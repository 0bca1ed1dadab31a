"""Cursors come back as they were given, and nothing else does."""

from __future__ import annotations

import base64
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.errors import InvalidInputError
from service.store import cursors


@given(seq=st.integers(0, cursors.MAX_SEQ - 1))
def test_a_cursor_comes_back_as_its_sequence_number(seq):
    assert cursors.decode("jobs", cursors.encode("jobs", seq)) == seq


@given(cursor=st.text().filter(lambda text: not text.startswith("am9ic")))
def test_any_other_text_is_refused(cursor):
    with pytest.raises(InvalidInputError):
        cursors.decode("jobs", cursor)


@given(text=st.text().filter(lambda text: re.fullmatch("[0-9]{1,18}", text) is None))
@example(text="9" * 5000)
@example(text="-1")
@example(text="١")
def test_a_cursor_with_anything_but_a_number_is_refused(text):
    made_up = base64.urlsafe_b64encode(f"jobs:{text}".encode()).decode()
    with pytest.raises(InvalidInputError):
        cursors.decode("jobs", made_up)


def test_a_cursor_of_another_listing_is_refused():
    with pytest.raises(InvalidInputError):
        cursors.decode("jobs", cursors.encode("trials", 1))


def test_a_page_is_cut_and_continued_only_where_there_is_more():
    rows = [(seq, f"row {seq}") for seq in (9, 7, 4)]
    shown, more = cursors.split("jobs", rows, 2)
    assert shown == ["row 9", "row 7"]
    assert cursors.decode("jobs", more) == 7
    assert cursors.split("jobs", rows, 3) == (["row 9", "row 7", "row 4"], None)
    assert cursors.split("jobs", [], 3) == ([], None)
