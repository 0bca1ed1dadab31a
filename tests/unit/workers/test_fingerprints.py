"""Fingerprints: what tells trainings apart, so that the same one is never trained twice."""

import pytest
import torch

from search.job import JobSpec, TrainingSpec
from search.recipe import telling
from tests.unit.workers.test_planning import job, searching
from tests.unit.workers.test_planning_costs import BY_TABLE, ROWS
from workers.planning import fingerprint

FIXED = {"kind": "fixed_bits", "allocation": {"a": 1}, "note": {"budget": 2}}
LEARNED = {
    "kind": "learn_bits",
    "budget": {"metric": "bit_budget", "maximum": 2.0, "scope": "searched"},
    "note": {},
}


def test_chosen_settings_train_the_same_as_named_ones():
    chosen = {**FIXED, "settings": {"depth": 3, "width": 8}}
    named = job(architecture={"name": "conv-net", "width": 8, "depth": 3})
    assert fingerprint(searching(), chosen, 0) == fingerprint(named, FIXED, 0)
    assert fingerprint(searching(), chosen, 0) != fingerprint(searching(), FIXED, 0)
    other = {**FIXED, "settings": {"depth": 3, "width": 4}}
    assert fingerprint(searching(), chosen, 0) != fingerprint(searching(), other, 0)


def test_the_fingerprint_of_a_job_without_a_search_space_is_that_of_before(monkeypatch):
    monkeypatch.setattr(torch, "__version__", "2.13.0+cpu")
    learned = fingerprint(job(), LEARNED, 3, data_stamp="x")
    assert fingerprint(job(), FIXED, 0).startswith("ccadae078a5dd019d450fb889987eb10")
    assert learned.startswith("5e0df5fc76ec636e6892cc630c17b682")


@pytest.mark.parametrize(
    ("limits", "changes", "same"),
    [
        ({}, {"hardware": {"rows": 4}, "cost_table": ROWS}, True),
        ({"budget": {"metric": "cycles", "max": [1e9]}}, {"hardware": {"rows": 4}}, False),
        ({"budget": {"metric": "cycles", "max": [1e9]}}, {"hardware": {"clock_mhz": 400}}, True),
        ({"budget": {"metric": "cycles", "max": [1e9]}}, {"hardware": {"energies": {"add": 1}}}, True),
        ({"constraints": [{"metric": "energy_uj", "max": 9}]}, {"hardware": {"energies": {"add": 1}}}, False),
        ({"constraints": [{"metric": "energy_uj", "max": 9}]}, {"hardware": {"rows": 4}}, True),
        ({}, {"reference_rates": {"convs.1": 0.5}}, True),
        ({"budget": {"metric": "sops", "max": [1e9]}}, {"reference_rates": {"convs.1": 0.5}}, False),
        ({**BY_TABLE, "cost_table": ROWS}, {"cost_table": [{**row, "cost": 9} for row in ROWS]}, False),
    ],
)
def test_hardware_and_tables_tell_trainings_apart_where_they_steer(limits, changes, same):
    first, second = job(**limits), job(**{**limits, **changes})
    assert fingerprint(first, FIXED, 0) == fingerprint(second, FIXED, 0)
    assert (fingerprint(first, LEARNED, 0) == fingerprint(second, LEARNED, 0)) is same


@pytest.mark.parametrize(
    ("changes", "proposal", "same"),
    [
        ({"name": "another"}, FIXED, True),
        ({"budget": {"max": [8]}, "methods": ["random"]}, FIXED, True),
        ({"bits": {"weight": [1, 4]}}, FIXED, True),
        ({"bits": {"weight": [1, 4]}}, LEARNED, False),
        ({"training": {"epochs": 4}}, FIXED, False),
        ({"dataset": {"name": "digits"}}, FIXED, False),
        ({"compute": {"cpus_per_trial": 2}}, FIXED, False),
        ({"bits": {"learn": ["steps", "spike", "weight"]}}, LEARNED, True),
        ({"bits": {"learn": ["weight"]}}, LEARNED, False),
        ({"bits": {"learn": ["weight"]}}, FIXED, True),
        ({"bits": {"weight_per": "layer"}}, LEARNED, True),
        ({"bits": {"weight_per": "channel"}}, LEARNED, False),
        ({"bits": {"weight_per": "channel"}}, FIXED, True),
        ({"bits": {"steps_gradient": "divisor"}}, LEARNED, True),
        ({"bits": {"steps_gradient": "difference"}}, LEARNED, False),
        ({"bits": {"steps_gradient": "difference"}}, FIXED, True),
        ({"training": {"epochs": 3, "neuron": {"leak": 1.0}}}, FIXED, True),
        ({"training": {"epochs": 3, "neuron": {"leak": 0.9}}}, FIXED, False),
    ],
)
def test_a_fingerprint_holds_what_the_result_depends_on_and_nothing_else(changes, proposal, same):
    assert (fingerprint(job(), proposal, 0) == fingerprint(job(**changes), proposal, 0)) is same


def test_a_fingerprint_forgets_the_note_but_not_the_seed_or_the_data():
    told = {**FIXED, "note": {"budget": 99}}
    assert fingerprint(job(), FIXED, 0) == fingerprint(job(), told, 0)
    assert fingerprint(job(), FIXED, 0) != fingerprint(job(), FIXED, 1)
    assert fingerprint(job(), FIXED, 0) != fingerprint(job(), FIXED, 0, data_stamp="other")


def test_an_option_at_its_default_changes_no_fingerprint_of_before():
    told = telling(TrainingSpec(epochs=3))
    assert set(told) == {
        *("epochs", "batch_size", "lr", "momentum", "weight_decay", "label_smoothing", "renewal"),
    }
    assert telling(TrainingSpec(loss="tet", accumulate=2)).items() >= {"loss": "tet", "accumulate": 2}.items()


def test_a_job_stored_before_the_options_can_still_be_read():
    new = {"renewal_stop", "renewal_min_epoch", "target_weights", "neuron", "loss", "tet", "warm_start"}
    new |= {"augment", "precision", "accumulate", "memory_format"}
    old = job().to_json()
    old["training"] = {name: value for name, value in old["training"].items() if name not in new}
    old["bits"] = {name: old["bits"][name] for name in ("weight", "spike", "steps", "search_first_layer")}
    del old["targets"]
    assert JobSpec.model_validate(old) == job()
