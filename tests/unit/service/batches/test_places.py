"""Places in documents: both ways of writing them, putting values there, and what is refused."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import InvalidInputError
from service.batches.places import holds, leaves, place_of, pointer_to, put

STEPS = st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=4).map(tuple)


@given(STEPS)
def test_a_pointer_names_the_place_that_it_was_made_of(place):
    assert place_of(pointer_to(place)) == place


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("/architecture/width", ("architecture", "width")),
        ("architecture.width", ("architecture", "width")),
        ("budget.max.0", ("budget", "max", "0")),
        ("/a~1b/c~0d/e.f", ("a/b", "c~d", "e.f")),
        ("seeds", ("seeds",)),
        ("/~01", ("~1",)),
    ],
)
def test_both_ways_of_writing_a_place(text, place):
    assert place_of(text) == place


@pytest.mark.parametrize("text", ["", ".", "a..b", "a.", "/a~2", "/~", "/a" * 5000])
def test_what_names_no_field_is_refused(text):
    with pytest.raises(InvalidInputError):
        place_of(text)


@given(STEPS, st.integers())
def test_what_was_put_is_there_and_nothing_else_changed(place, value):
    document = {"kept": {"a": [1, {"b": 2}]}}
    before = copy.deepcopy(document)
    try:
        changed = put(document, place, value)
    except InvalidInputError:
        return
    assert holds(changed, place)
    assert document == before
    assert place[0] == "kept" or changed["kept"] is document["kept"]


def test_values_go_into_lists_by_number():
    document = {"constraints": [{"metric": "a", "max": 1}, {"metric": "b", "max": 2}]}
    changed = put(document, ("constraints", "1", "max"), 3)
    assert changed["constraints"] == [{"metric": "a", "max": 1}, {"metric": "b", "max": 3}]
    assert document["constraints"][1]["max"] == 2


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        (("list", "2"), "there is no entry 2 in the list /list; it has 2"),
        (("list", "-"), "there is no entry -"),
        (("list", "-1"), "there is no entry -1"),
        (("list", "01"), "there is no entry 01"),
        (("list", "x"), "there is no entry x"),
        (("name", "x"), "/name is neither an object nor a list"),
        (("missing", "0"), "there is no list at /missing"),
        (("null", "0", "x"), "there is no list at /null"),
    ],
)
def test_places_that_a_document_cannot_have_are_refused(place, reason):
    with pytest.raises(InvalidInputError, match=reason):
        put({"list": [1, 2], "name": "n", "null": None}, place, 1)


def test_objects_on_the_way_are_made():
    assert put({"training": None}, ("training", "neuron", "leak"), 0.5) == {
        "training": {"neuron": {"leak": 0.5}}
    }


def test_leaves_are_values_and_whole_lists():
    found = dict(leaves({"a": {"b": 1, "c": {}}, "d": [1, {"e": 2}]}))
    assert found == {("a", "b"): 1, ("a", "c"): {}, ("d",): [1, {"e": 2}]}
