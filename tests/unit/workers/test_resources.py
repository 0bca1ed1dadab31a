"""Whether any one node could hold a trial; a fake list of nodes stands for the cluster."""

import pytest

from models.errors import ClusterUnavailableError, InvalidInputError
from search.job import ComputeSpec
from workers import resources

GIB = 2.0**30
NODES = [
    {"Alive": True, "Resources": {"CPU": 2.0, "memory": 4 * GIB}},
    {"Alive": True, "Resources": {"CPU": 1.0, "GPU": 1.0, "memory": 2 * GIB}},
    {"Alive": False, "Resources": {"CPU": 64.0, "memory": 512 * GIB}},
]


@pytest.fixture(autouse=True)
def nodes(monkeypatch):
    monkeypatch.setattr(resources.ray, "nodes", lambda: NODES)


def test_what_the_largest_node_has_is_enough():
    resources.require_room(ComputeSpec(cpus_per_trial=2, memory_mib_per_trial=4096))


@pytest.mark.parametrize(
    ("field", "amount"), [("cpus_per_trial", 3), ("gpus_per_trial", 2), ("memory_mib_per_trial", 4097)]
)
def test_more_than_any_living_node_has_is_refused(field, amount):
    with pytest.raises(InvalidInputError, match=f"{field} is {amount}") as refused:
        resources.require_room(ComputeSpec(**{field: amount}))
    assert refused.value.pointer == f"/compute/{field}"


def test_a_node_that_comes_late_is_waited_for(monkeypatch):
    seen = iter([[], [], NODES])
    monkeypatch.setattr(resources.ray, "nodes", lambda: next(seen))
    resources.await_room(ComputeSpec(), patience=60.0, over=lambda: False, look_every=0.0)
    assert next(seen, None) is None


def test_a_job_that_is_over_waits_for_no_node():
    asked = iter([False, True])
    large = ComputeSpec(cpus_per_trial=3)
    resources.await_room(large, patience=60.0, over=lambda: next(asked), look_every=0.0)
    assert next(asked, None) is None


def test_what_no_node_has_for_long_is_refused():
    with pytest.raises(InvalidInputError, match="cpus_per_trial is 3"):
        resources.await_room(ComputeSpec(cpus_per_trial=3), patience=0.0, over=lambda: False)


def test_without_any_node_the_cluster_is_what_fails(monkeypatch):
    monkeypatch.setattr(resources.ray, "nodes", lambda: [{"Alive": True, "Resources": {"memory": GIB}}])
    with pytest.raises(ClusterUnavailableError, match="no node of the cluster runs trials"):
        resources.await_room(ComputeSpec(), patience=0.0, over=lambda: False)


def test_no_memory_is_asked_for_unless_a_job_says_so():
    assert "memory" not in resources.resources_of(ComputeSpec())
    assert resources.resources_of(ComputeSpec(memory_mib_per_trial=2))["memory"] == 2 * 2**20
    assert "memory_mib_per_trial" not in ComputeSpec().model_dump()
