"""What 1,000 nodes would do to one store: service times measured here, the rest played by events.

Node n has PLACES workers and one dispatcher thread; the store serves k transactions at a time. A trial of E
epochs and S seconds of training makes E + 2 transactions: start, each epoch, end. Each waits for the thread
of its node, then for the store; the worker goes on once its epoch is stored, as Tune has it. The utilisation
of a part is its busy time over the whole time and over how many there are. The bottleneck is the part near 1.
"""

from __future__ import annotations

import heapq
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from search.job import JobSpec
from service.settings import Settings
from service.store import Claim, Store
from service.store.queue import Presence
from service.store.studies import PlannedTrial
from workers.report import EpochReport, TrialOutcome

PLACES = 8
EPOCHS = 8
TRAINING_SECONDS = 60.0
TRIALS = 1_000_000
NODES = (10, 100, 1_000)
TUNE_SECONDS = 0.01
"""Of the dispatcher's thread for each result, beside the store (docs/scaling.md)."""
SAMPLES = 100
THREADS = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Times:
    """Seconds of one transaction each, and how many of them the store does at once."""

    start: float
    epoch: float
    end: float
    renew: float
    beat: float
    servers: float


def nodes(settings: Settings, store: Store) -> None:
    """Measure, then play each number of nodes."""
    times = measured(store)
    for name in ("start", "epoch", "end", "renew", "beat"):
        print(f"  {name}: {1e3 * getattr(times, name):.1f} ms")
    print(f"  transactions at once, by throughput of {THREADS} writers over one: {times.servers:.1f}")
    for count in NODES:
        play(count, times)


def play(count: int, times: Times) -> None:
    """A million trials on so many nodes, or as many as show the steady state where there are fewer."""
    trials = min(TRIALS, count * PLACES * 200)
    servers = [0.0] * max(round(times.servers), 1)
    threads = [0.0] * count
    store_busy = thread_busy = now = 0.0
    epoch_seconds = TRAINING_SECONDS / EPOCHS
    # (time, tie, node, step): step 0 starts a trial, 1..E store an epoch, E + 1 ends it.
    waiting = [(0.001 * place, place, place % count, 0) for place in range(count * PLACES)]
    heapq.heapify(waiting)
    done, tie = 0, len(waiting)
    while done < trials and waiting:
        at, _, node, step = heapq.heappop(waiting)
        takes = times.start if step == 0 else times.end if step > EPOCHS else times.epoch
        begin = max(at + TUNE_SECONDS, threads[node] + TUNE_SECONDS)
        free = heapq.heappop(servers)
        over = max(begin, free) + takes
        heapq.heappush(servers, over)
        threads[node] = over
        store_busy += takes
        thread_busy += TUNE_SECONDS + takes
        now = max(now, over)
        tie += 1
        if step > EPOCHS:
            done += 1
            heapq.heappush(waiting, (over, tie, node, 0))
        else:
            heapq.heappush(waiting, (over + (epoch_seconds if step < EPOCHS else 0.0), tie, node, step + 1))
    signs = count * (times.renew / 5 + times.beat / 5)  # one of each in five seconds
    report(
        count, done, now, store_busy / now / len(servers) + signs / len(servers), thread_busy / now / count
    )


def report(count: int, done: int, now: float, store: float, thread: float) -> None:
    """One line, with the part that is the bottleneck."""
    ideal = done * TRAINING_SECONDS / (count * PLACES)
    parts = {"store": store, "dispatcher threads": thread}
    busiest = max(parts, key=lambda name: parts[name])
    verdict = f"bottleneck: {busiest}" if now / ideal > 1.1 else "the workers are the limit"
    used = ", ".join(f"{name} {100 * min(share, 1):.0f} %" for name, share in parts.items())
    print(
        f"  {count} nodes, {done:,} trials: {now / ideal:.2f} x ideal ({now / 3600:.1f} h); {used}; {verdict}"
    )


def measured(store: Store) -> Times:
    """Medians over trials of one job, and the throughput of several writers of several jobs."""
    claims = [claimed(store) for _ in range(THREADS)]
    trials = [planned(store, claim, SAMPLES) for claim in claims]
    first, ids = claims[0], trials[0]
    start = median(ids, lambda unit, trial: unit.results.start(first, trial), store)
    epoch = median(ids, lambda unit, trial: unit.results.epoch(first, trial, epoch_report(1)), store)
    outcome = TrialOutcome(points=(), epochs=1, samples=1)
    end = median(ids, lambda unit, trial: unit.results.succeed(first, trial, outcome), store)
    me = Presence(id="benchmark", host="here", pid=1, lease_seconds=15.0)
    return Times(
        start=start,
        epoch=epoch,
        end=end,
        renew=median(ids, lambda unit, _: unit.jobs.renew(first), store),
        beat=median(ids, lambda unit, _: unit.queue.beat(me), store),
        servers=writers_at_once(store, claims[1:], trials[1:]),
    )


def writers_at_once(store: Store, claims: list[Claim], trials: list[list[str]]) -> float:
    """Throughput of epochs of several jobs at once over that of one after the other."""

    def write(number: int) -> None:
        for trial in trials[number][: SAMPLES // 2]:
            with store.unit() as unit:
                unit.results.start(claims[number], trial)

    began = time.perf_counter()
    write(0)
    alone = time.perf_counter() - began
    others = range(1, len(claims))
    began = time.perf_counter()
    with ThreadPoolExecutor(len(others)) as pool:
        list(pool.map(write, others))
    return max(len(others) * alone / (time.perf_counter() - began), 1.0)


def median(ids: list[str], work: Callable[..., object], store: Store) -> float:
    """Of one transaction, over all trials."""
    found = []
    for trial in ids:
        began = time.perf_counter()
        with store.unit() as unit:
            work(unit, trial)
        found.append(time.perf_counter() - began)
    return statistics.median(found)


def claimed(store: Store) -> Claim:
    """A job under a lease."""
    spec = JobSpec.model_validate(
        {
            "name": "load",
            "architecture": {"name": "conv-net"},
            "dataset": {"name": "digits"},
            "budget": {"max": [4]},
            "methods": ["random"],
            "seeds": [0],
        }
    )
    with store.unit() as unit:
        unit.jobs.submit(spec, trials_planned=SAMPLES, plan={}, idempotency_key=None)
    with store.unit() as unit:
        claim = unit.jobs.claim("benchmark", 3600.0)
        assert claim is not None
        unit.studies.prepare(claim)
    return claim


def planned(store: Store, claim: Claim, count: int) -> list[str]:
    """The ids of so many trials that wait."""
    with store.unit() as unit:
        study = unit.jobs.get(claim.job_id).studies[0].id
        trials = [
            PlannedTrial(round=0, number=number, proposal={"kind": "x"}, fingerprint=f"{study}/{number}")
            for number in range(count)
        ]
        unit.studies.plan(claim, study, trials)
        return [trial.id for trial in unit.studies.trials(study)]


def epoch_report(epoch: int) -> EpochReport:
    """An epoch with made-up numbers."""
    return EpochReport(
        epoch=epoch,
        epochs=EPOCHS,
        samples=epoch,
        seconds=1.0,
        learning_rate=0.1,
        train_loss=1.0,
        train_accuracy=0.5,
        validation_accuracy=0.5,
        budget_cost=4.0,
        mean_weight_bits=2.0,
        mean_spike_bits=2.0,
        mean_steps=1.0,
    )
