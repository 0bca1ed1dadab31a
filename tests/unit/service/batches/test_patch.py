"""Merge patches: the examples of RFC 7396, and that a patch between two documents makes one of the other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.batches.patch import patch_between, patched

EXAMPLES = [  # RFC 7396, appendix A
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]
VALUES = st.one_of(
    st.booleans(), st.integers(-2, 2), st.text(max_size=2), st.lists(st.integers(), max_size=2)
)
DOCUMENTS = st.recursive(
    st.dictionaries(st.sampled_from("abcd"), VALUES, max_size=3),
    lambda below: st.dictionaries(st.sampled_from("abcd"), st.one_of(VALUES, below), max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(("document", "patch", "result"), EXAMPLES)
def test_the_examples_of_the_standard(document, patch, result):
    assert patched(document, patch) == result


@given(DOCUMENTS, DOCUMENTS)
def test_a_patch_between_two_documents_makes_one_of_the_other(before, after):
    patch = patch_between(before, after)
    assert repr(sorted_json(patched(before, patch))) == repr(sorted_json(after))


@given(DOCUMENTS)
def test_nothing_is_between_a_document_and_itself(document):
    assert patch_between(document, document) == {}


def sorted_json(value):
    """With fields in order, so that what is equal reads equal and true is not 1."""
    return {k: sorted_json(value[k]) for k in sorted(value)} if isinstance(value, dict) else value
