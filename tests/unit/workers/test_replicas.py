"""A training in several processes: the losses of one process, one network in all of them, resumed as ever."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from models.errors import InvalidInputError, ReplicaLostError, ReplicasApartError
from models.nets import Network
from models.nets.frames import MapNorm, VectorNorm
from models.replicas import ALONE, Replicas
from search.job import ComputeSpec
from search.strategy import proposal_to_json
from tests.unit.workers.replicas import InReplicas, replicas_of
from tests.unit.workers.test_golden_losses import GOLDEN, in_float64, job, proposal
from workers.data.loader import Batch
from workers.failures import failure_of
from workers.parts import own_parts
from workers.planning import fingerprint
from workers.report import TrialRequest
from workers.trial import TrialRun


@pytest.fixture(scope="module")
def in_pair() -> Iterator[InReplicas]:
    """Two processes that every test of this module shares."""
    with replicas_of(2) as pair:
        yield pair


def request(kind: str, folder: Path, architecture: str = "conv-net", **training: Any) -> TrialRequest:
    spec = job(architecture)
    spec = spec.model_copy(update={"training": spec.training.model_copy(update=training)})
    stored = proposal_to_json(proposal(kind, spec, folder))
    return TrialRequest(trial_id="trial-golden", spec=spec.to_json(), proposal=stored, seed=0)


def trained(replicas: Replicas, wanted: TrialRequest, folder: Path, epochs: int = 3) -> dict[str, Any]:
    """Some epochs in float64, and what this replica holds then."""
    run = in_float64(TrialRun(wanted, checkpoints=folder, data_folder=folder, threads=1, replicas=replicas))
    losses = [run.step().train_loss for _ in range(epochs)]
    state = {name: value.double() for name, value in run.trainer.network.state_dict().items()}
    points = run.outcome().points if run.finished and replicas.first else ()
    return {"losses": losses, "state": state, "points": points, "samples": run.progress.samples}


@pytest.mark.parametrize("kind", ["fixed", "learned"])
def test_the_losses_are_those_of_one_process(in_pair: InReplicas, tmp_path: Path, kind: str) -> None:
    first, second = in_pair(trained, request(kind, tmp_path), tmp_path)
    assert first["losses"] == pytest.approx(GOLDEN[f"conv-net-{kind}"], rel=1e-4)
    assert second["losses"] == first["losses"]
    for name, value in first["state"].items():
        assert torch.equal(value, second["state"][name]), name
    assert first["samples"] == second["samples"]
    (point,) = first["points"]
    assert point.checkpoint_sha256


def test_more_replicas_than_the_last_batch_has_samples(tmp_path: Path) -> None:
    wanted = request("fixed", tmp_path, batch_size=49)  # leaves batches of 2 for 3 replicas
    alone = trained(ALONE, wanted, tmp_path / "alone", epochs=1)
    with replicas_of(3) as in_three:
        together = in_three(trained, wanted, tmp_path / "together", 1)
    assert [one["losses"] for one in together] == [pytest.approx(alone["losses"], rel=1e-6)] * 3


def test_parts_of_a_batch_are_accumulated_on_each_replica(in_pair: InReplicas, tmp_path: Path) -> None:
    wanted = request("learned", tmp_path, accumulate=2)
    alone = trained(ALONE, wanted, tmp_path / "alone", epochs=1)
    first, second = in_pair(trained, wanted, tmp_path / "together", 1)
    assert first["losses"] == second["losses"]
    assert first["losses"] == pytest.approx(alone["losses"], rel=0.05)  # other statistics of the norms


def test_renewal_by_search_keeps_replicas_alike(in_pair: InReplicas, tmp_path: Path) -> None:
    first, second = in_pair(trained, request("learned", tmp_path, renewal="search"), tmp_path, 2)
    assert first["losses"] == second["losses"]


def test_a_resumed_training_goes_on_bit_for_bit(in_pair: InReplicas, tmp_path: Path) -> None:
    whole, cut = request("learned", tmp_path), tmp_path / "cut"
    (first, _) = in_pair(resumed, whole, cut)
    (again, _) = in_pair(resumed, whole, cut)
    (through, _) = in_pair(resumed, whole, tmp_path / "through", 3)
    assert [first[0], *again] == through


def resumed(replicas: Replicas, wanted: TrialRequest, folder: Path, epochs: int = 1) -> list[float]:
    """The losses of an epoch, or of all that are left where an earlier attempt has trained some."""
    run = TrialRun(wanted, checkpoints=folder, data_folder=folder, threads=1, replicas=replicas)
    left = range(epochs) if run.resumed is None else range(run.trainer.epochs - run.resumed.epoch)
    return [run.step().train_loss for _ in left]


def normalised(replicas: Replicas, x: torch.Tensor, upstream: torch.Tensor) -> list[torch.Tensor]:
    """What the part of a replica becomes, its gradient, and what the norm has noted."""
    norm = (MapNorm(x.shape[-3]) if x.dim() > 3 else VectorNorm(x.shape[-1])).double()
    norm.replicas = replicas
    at = 1 if x.dim() in {3, 5} else 0
    part = x.tensor_split(replicas.size, at)[replicas.rank].clone().requires_grad_()
    y = norm(part)
    y.backward(upstream.tensor_split(replicas.size, at)[replicas.rank])
    grads = [norm.weight.grad, norm.bias.grad]
    replicas.add_up(grads)
    return [y.detach(), part.grad, *grads, norm.running_mean, norm.running_var]


@pytest.mark.parametrize("shape", [(5, 3, 4, 2), (2, 5, 3, 4, 2), (7, 3), (2, 4, 3), (1, 3, 2, 2)])
def test_a_norm_over_replicas_is_that_of_the_whole_batch(in_pair: InReplicas, shape: tuple[int, ...]) -> None:
    generator = torch.Generator().manual_seed(len(shape))
    x, upstream = (torch.randn(shape, generator=generator, dtype=torch.float64) for _ in range(2))
    y, grad, *rest = normalised(ALONE, x, upstream)
    parts = in_pair(normalised, x, upstream)
    at = 1 if x.dim() in {3, 5} else 0
    torch.testing.assert_close(torch.cat([part[0] for part in parts], at), y)
    torch.testing.assert_close(torch.cat([part[1] for part in parts], at), grad)
    for part in parts:
        torch.testing.assert_close(part[2:], rest)


def different(replicas: Replicas) -> bool:
    """Whether this replica noticed that it holds other values than the first."""
    replicas.require_alike([torch.ones(3)])
    try:
        replicas.require_alike([torch.full((3,), float(replicas.rank))])
    except ReplicasApartError:
        return True
    return False


def test_replicas_that_part_are_noticed(in_pair: InReplicas) -> None:
    assert in_pair(different) == [False, True]


def test_a_norm_that_sees_only_a_part_is_refused() -> None:
    network = Network(nn.Sequential(nn.BatchNorm2d(3)))
    network.replicate(ALONE)
    with pytest.raises(InvalidInputError, match="sees only a part"):
        network.replicate(Replicas(rank=0, size=2))


def test_every_replica_has_as_many_parts() -> None:
    for samples in range(1, 12):
        batch = Batch(
            x=torch.zeros(samples, 1, 1, 1), y_B=torch.arange(samples), target=torch.arange(samples)
        )
        parts = [own_parts(batch, 3, Replicas(rank=rank, size=2)) for rank in range(2)]
        assert len(parts[0]) == len(parts[1])
        seen = torch.cat([part.y_B for own in parts for part in own])
        assert seen.tolist() == list(range(samples))


def left_alone(replicas: Replicas) -> str:
    """What a replica is told whose only other one has left."""
    if not replicas.first:
        torch.distributed.destroy_process_group()
        return ""
    try:
        replicas.total(torch.ones(1))
    except ReplicaLostError as error:
        return f"{failure_of(error).reason}: {error}"
    return "nothing"


def test_a_replica_that_leaves_is_noticed_and_the_trial_can_start_again() -> None:
    with replicas_of(2) as pair:
        assert pair(left_alone)[0].startswith("lost: another process of the training does not answer")


LOST, BAD = ({"done": True, "failure": {"reason": reason}} for reason in ("lost", "error"))
EPOCH = {"done": False, "epoch": {}}


@pytest.mark.parametrize(
    ("results", "said"),
    [
        ([EPOCH, {"done": False}], EPOCH),
        ([LOST, BAD], BAD),
        ([BAD, LOST], BAD),
        ([LOST, {"done": True, "unstored": "full"}], {"done": True, "unstored": "full"}),
        ([LOST, LOST], None),
        ([EPOCH, LOST], None),
    ],
)
def test_what_one_failed_of_is_said_and_not_that_the_others_lost_it(results: list[Any], said: Any) -> None:
    from workers.replicated import said_by_all  # imports Ray, which other tests tell how to begin first

    assert said_by_all(results) == said


def test_processes_share_whole_devices_or_parts_of_one() -> None:
    ComputeSpec(processes_per_trial=4, gpus_per_trial=8, cpus_per_trial=2)
    with pytest.raises(ValidationError, match=r"cpus_per_trial / processes_per_trial is 1\.5"):
        ComputeSpec(processes_per_trial=2, cpus_per_trial=3)


def test_a_job_of_one_process_is_stored_as_before() -> None:
    spec = job("conv-net")
    assert "processes_per_trial" not in spec.to_json()["compute"]
    several = spec.model_copy(update={"compute": ComputeSpec(processes_per_trial=2, cpus_per_trial=2)})
    assert several.to_json()["compute"]["processes_per_trial"] == 2
    trained_as = [fingerprint(one, {"kind": "fixed_bits"}, 0) for one in (spec, several)]
    assert trained_as[0] != trained_as[1]
