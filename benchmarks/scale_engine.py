"""The engine with trials that only wait: what store, Tune and Ray add, and what a dispatcher grows by."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from search.job import JobSpec
from service.jobs import JobRun
from service.settings import Settings
from service.store import Store
from workers.cluster import local_ray

TRIALS = 200
AT_ONCE = 8
SECONDS = 1.0
JOBS, TRIALS_OF_EACH = 20, 500


def engine(settings: Settings, store: Store) -> None:
    """Run a job of one-second trials on a Ray that believes it has eight CPUs."""
    with local_ray(settings.home / "token", cpus=AT_ONCE):
        began, used = time.monotonic(), time.process_time()
        job = run(settings, store, trials=TRIALS, seconds=SECONDS)
        took, used = time.monotonic() - began, time.process_time() - used
    trials, ideal = len(job.ends), len(job.ends) * SECONDS / AT_ONCE
    warm, warm_ideal = job.ends[-1] - job.ends[AT_ONCE - 1], (trials - AT_ONCE) * SECONDS / AT_ONCE
    print(f"  {trials} trials of {SECONDS:g} s, {AT_ONCE} at a time: {took:.1f} s, ideal {ideal:.1f} s")
    over = 100 * (warm / warm_ideal - 1)
    print(f"  once all workers run: {warm:.1f} s, ideal {warm_ideal:.1f} s, {over:.0f} % over")
    print(f"  the dispatcher computes {1e3 * used / trials:.0f} ms per trial")


def memory(settings: Settings, store: Store) -> None:
    """Several jobs of short trials, one after the other, in one dispatcher."""
    with local_ray(settings.home / "token", cpus=AT_ONCE):
        for number in range(JOBS):
            run(settings, store, trials=TRIALS_OF_EACH, seconds=0.01)
            trials = (number + 1) * TRIALS_OF_EACH
            print(
                f"  after {number + 1} jobs, {trials:,} trials: {resident_mib():.0f} MiB resident", flush=True
            )


def run(settings: Settings, store: Store, *, trials: int, seconds: float) -> Timed:
    """One job from its claim to its end."""
    import workers.tune

    # The trials of this benchmark in place of those that train.
    workers.tune.TrialTrainable = waiting_trainable(seconds)  # type: ignore[misc]
    job = Timed(claimed_job(settings, store, trials), trials)
    workers.tune.run_trials(
        job,
        compute=job.spec.compute,
        checkpoints=settings.checkpoints,
        data_folder=settings.data,
        scratch=settings.scratch,
    )
    return job


def waiting_trainable(seconds: float) -> type:
    """A trainable whose trials wait and then succeed without a point; a class of this function, so that it
    travels to the workers by value."""
    from ray import tune

    class Waiting(tune.Trainable):
        def setup(self, config: dict[str, Any]) -> None:
            pass

        def reset_config(self, new_config: dict[str, Any]) -> bool:
            return True

        def step(self) -> dict[str, Any]:
            time.sleep(seconds)
            return {"done": True, "outcome": {"points": [], "epochs": 1, "samples": 1, "provenance": {}}}

        def save_checkpoint(self, checkpoint_dir: str) -> dict[str, Any]:
            return {}

        def load_checkpoint(self, checkpoint: dict[str, Any] | None) -> None:
            pass

    return Waiting


def claimed_job(settings: Settings, store: Store, trials: int) -> JobRun:
    """A prepared job of so many trials."""
    spec = JobSpec.model_validate(
        {
            "name": "waiting",
            "architecture": {"name": "conv-net"},
            "dataset": {"name": "digits"},
            "budget": {"max": [64]},
            "methods": ["random"],
            "seeds": [int(time.time())],
            "compute": {"trials_per_study": trials, "concurrent_trials": AT_ONCE, "cpus_per_trial": 1},
        }
    )
    with store.unit() as unit:
        unit.jobs.submit(spec, trials_planned=trials, plan={}, idempotency_key=None)
    with store.unit() as unit:
        claim = unit.jobs.claim("benchmark", 3600.0)
    assert claim is not None
    job = JobRun(store, claim, data_folder=settings.data, checkpoints=settings.checkpoints)
    job.prepare()
    return job


class Timed:
    """A feed that notes when trials end, and stops after enough of them."""

    def __init__(self, job: JobRun, trials: int) -> None:
        self._job = job
        self._trials = trials
        self.spec = job._claim.spec
        self.ends: list[float] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._job, name)

    def next_trial(self) -> Any:
        return "finished" if len(self.ends) >= self._trials else self._job.next_trial()

    def succeeded(self, trial_id: str, outcome: Any) -> None:
        self._job.succeeded(trial_id, outcome)
        self.ends.append(time.monotonic())


def resident_mib() -> float:
    """Of this process, from /proc."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024
