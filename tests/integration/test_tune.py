"""Trials on a real Ray: results arrive, a killed worker resumes, a NaN fails alone, a cancel stops."""

import json
import os
import signal
import subprocess
from dataclasses import replace

import pytest

import workers.tune
from models.allocation import Allocation, LayerBits
from models.cost import Limit
from search.job import DatasetSpec, JobSpec
from search.strategy import FixedBits, LearnBits, proposal_to_json
from tests.integration.serving import workers_of
from workers.planning import plan_job
from workers.report import TrialRequest
from workers.trainable import TrialTrainable
from workers.trial import run_trial
from workers.tune import run_trials

pytestmark = pytest.mark.ray


def job(epochs=4, **training):
    return JobSpec(
        name="small",
        architecture={"name": "conv-net", "width": 4},
        dataset={"name": "digits", "train_samples": 200},
        budget={"max": [2]},
        training={"epochs": epochs, "batch_size": 32, **training},
        compute={"concurrent_trials": 2, "cpus_per_trial": 1},
    )


def request(name, spec, seed=0):
    proposal = proposal_to_json(LearnBits(budget=Limit(metric="bit_budget", maximum=2.0), note={}))
    return TrialRequest(trial_id=name, spec=spec.to_json(), proposal=proposal, seed=seed)


class Feed:
    """Hands out a list of requests and records everything; `on_epoch` may misbehave."""

    def __init__(self, requests, on_epoch=lambda trial_id, report: None):
        self.waiting = list(requests)
        self.on_epoch = on_epoch
        self.on_part = lambda trial_id: None
        self.log = []
        self.given = {}
        self.outcomes = {}
        self.failures = {}
        self.stops = {}
        self.stop = False
        self.orderly = False

    def next_trial(self):
        if self.stop:
            return "finished"
        if not self.waiting:
            ended = self.outcomes.keys() | self.failures.keys() | self.stops.keys()
            return "finished" if self.given.keys() <= ended else "wait"
        wanted = self.waiting.pop(0)
        self.given[wanted.trial_id] = wanted
        return wanted

    def started(self, trial_id):
        self.log.append(("started", trial_id))

    def lost(self, trial_id, message):
        self.log.append(("lost", trial_id))

    def put_back(self, trial_id):
        self.log.append(("put back", trial_id))
        self.waiting.append(self.given[trial_id])

    def epoch(self, trial_id, report):
        self.log.append(("epoch", trial_id, report.epoch))
        self.on_epoch(trial_id, report)

    def advanced(self, trial_id, samples):
        self.log.append(("part", trial_id, samples))
        self.on_part(trial_id)

    def succeeded(self, trial_id, outcome):
        self.outcomes[trial_id] = outcome

    def stopped(self, trial_id, stop):
        self.stops[trial_id] = stop

    def failed(self, trial_id, failure):
        self.failures[trial_id] = failure

    def cancelled(self):
        return self.stop

    def pausing(self):
        return self.stop and self.orderly


@pytest.fixture
def run(ray_cluster, tmp_path):
    def run_feed(feed, **others):
        run_trials(
            feed,
            compute=job().compute,
            checkpoints=tmp_path / "checkpoints",
            data_folder=tmp_path,
            scratch=tmp_path / "scratch",
            logs=tmp_path / "logs",
            **others,
        )
        return feed

    return run_feed


def undisturbed(wanted, folder):
    return run_trial(wanted, checkpoints=folder, data_folder=folder, threads=1, report=lambda report: None)


def test_trials_report_every_epoch_and_their_points(run, tmp_path):
    feed = run(Feed([request(f"trial-{seed}", job(), seed) for seed in range(3)]))
    assert set(feed.outcomes) == {"trial-0", "trial-1", "trial-2"}
    for seed in range(3):
        name = f"trial-{seed}"
        assert [entry[2] for entry in feed.log if entry[:2] == ("epoch", name)] == [1, 2, 3, 4]
        (point,) = feed.outcomes[name].points
        assert point.costs["searched"]["bit_budget"] <= 2.0
        assert [path.name for path in (tmp_path / "checkpoints" / name).iterdir()] == [point.checkpoint]
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_trial_below_its_bar_is_stopped_and_its_worker_takes_the_next(run, tmp_path):
    layers = plan_job(job(), tmp_path).layers
    bits = LayerBits.uniform(steps=1, spike_bits=2, weight_bits=2)
    allocation = Allocation(layers={layer.name: bits for layer in layers if layer.fixed is None})
    given = proposal_to_json(FixedBits(allocation=allocation, note={"budget": 4.0, "bars": {"2": 1.1}}))
    feed = run(Feed([replace(request("trial-a", job()), proposal=given), request("trial-b", job())]))
    assert (feed.stops["trial-a"].epochs, feed.stops["trial-a"].samples) == (2, 400)
    assert list(feed.outcomes) == ["trial-b"]
    assert not list((tmp_path / "checkpoints" / "trial-a").iterdir())


def test_a_result_on_ray_is_that_of_a_plain_run(run, tmp_path):
    feed = run(Feed([request("trial-a", job())]))
    assert feed.outcomes["trial-a"] == undisturbed(request("trial-a", job()), tmp_path / "plain")


def test_a_killed_worker_resumes_from_its_checkpoint_and_ends_the_same(run, tmp_path):
    killed = []

    def kill_once(trial_id, report):
        if report.epoch == 2 and not killed:
            killed.extend(workers_of(os.getpid()))
            for pid in killed:
                os.kill(pid, signal.SIGKILL)

    wanted = request("trial-a", job(epochs=12))
    feed = run(Feed([wanted], kill_once))
    assert killed
    assert ("lost", "trial-a") in feed.log
    said = [json.loads(line) for line in (tmp_path / "logs" / "workers.log").read_text().splitlines()]
    opened = [(one["attempt"], one["resumed_after"]) for one in said if one["event"] == "trial opened"]
    assert [attempt for attempt, _ in opened] == [1, 2]
    assert opened[0][1] == 0
    assert opened[1][1] >= 2
    epochs = [entry[2] for entry in feed.log if entry[0] == "epoch"]
    assert epochs == sorted(epochs)  # it never goes back to an epoch before the last checkpoint
    assert len(epochs) <= 13  # an epoch whose result was on its way may be reported twice
    assert feed.outcomes["trial-a"] == undisturbed(wanted, tmp_path / "plain")


def test_a_worker_that_dies_between_two_trials_costs_neither(run, tmp_path, monkeypatch):
    died = tmp_path / "died"

    class DiesOnce(TrialTrainable):  # local, so that Ray ships the class itself and not its name
        def reset_config(self, new_config):
            if not died.exists():
                died.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return super().reset_config(new_config)

    monkeypatch.setattr(workers.tune, "TrialTrainable", DiesOnce)
    wanted = [request(f"trial-{seed}", job(epochs=1), seed) for seed in range(4)]
    feed = run(Feed(wanted))
    assert died.exists()
    assert [kind for kind, *_ in feed.log].count("put back") == 1
    assert feed.failures == {}
    assert feed.outcomes.keys() == {each.trial_id for each in wanted}


def test_what_a_killed_process_left_in_the_scratch_folder_is_removed(run, tmp_path):
    ended = subprocess.Popen(["true"])
    ended.wait()
    left, others = (
        tmp_path / "scratch" / f"tune-{ended.pid}-a",
        tmp_path / "scratch" / f"tune-{os.getppid()}-b",
    )
    left.mkdir(parents=True)
    others.mkdir()
    run(Feed([]))
    assert not left.exists()
    assert others.exists()


def test_a_loss_that_is_no_number_fails_alone(run):
    feed = run(Feed([request("trial-bad", job(lr=100.0, weight_decay=1.0)), request("trial-good", job())]))
    assert feed.failures["trial-bad"].reason == "nan_loss"
    assert set(feed.outcomes) == {"trial-good"}


def test_a_cancel_stops_the_run_and_keeps_checkpoints_for_later(run, tmp_path):
    def stop(trial_id, report):
        feed.stop = True

    feed = Feed([request("trial-a", job(epochs=200))], stop)
    run(feed)
    assert not feed.outcomes
    record = next((tmp_path / "checkpoints" / "trial-a").glob("epoch-*.json"))
    assert json.loads(record.read_text())["epoch"] < 200


def test_a_pause_lets_each_trial_store_where_it_is_in_its_epoch_and_the_next_run_goes_on_there(run, tmp_path):
    spec = job(epochs=1, batch_size=4).model_copy(
        update={"dataset": DatasetSpec(name="digits", train_samples=1200)}
    )
    wanted = [request(f"trial-{seed}", spec, seed) for seed in range(2)]
    feed = Feed(wanted)
    feed.orderly = True

    def pause_once_both_train(trial_id):
        if not feed.stop and len({entry[1] for entry in feed.log if entry[0] == "part"}) == 2:
            feed.stop = True
            feed.log.append(("pause", None))

    feed.on_part = pause_once_both_train
    run(feed, checkpoint_every=0.2)
    after = feed.log[feed.log.index(("pause", None)) + 1 :]
    assert sorted(entry[:2] for entry in after) == [("part", one.trial_id) for one in wanted]  # and no more
    assert not feed.outcomes
    for name in ("trial-0", "trial-1"):
        stored = max(entry[2] for entry in feed.log if entry[:2] == ("part", name))
        states = [json.loads(path.read_text())["state"] for path in records(tmp_path, name)]
        assert max(state["progress"]["samples"] for state in states) == stored
    again = run(Feed(wanted))
    for one in wanted:
        assert again.outcomes[one.trial_id] == undisturbed(one, tmp_path / "plain")


def records(folder, name):
    """What is stored of the state of a trial that has not ended."""
    return list((folder / "checkpoints" / name).glob("epoch-*.json"))
