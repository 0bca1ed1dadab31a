"""What several test packages share: a throw-away PostgreSQL, a store per dialect, made-up training."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

from models.allocation import FIRST_LAYER_BITS, Allocation
from models.cost import COST_VERSIONS, LayerShape, Limit, costs
from models.repair import fit
from models.wish import LayerWish
from search.job import JobSpec
from search.strategy import FixedBits, FixedFront, LearnFront, proposal_from_json, trials_of
from service.store import Store
from tests.integration.serving import run_job
from tests.postgres_server import PostgresServer, server_binaries
from tests.s3_server import S3Server
from workers.planning import JobPlan
from workers.report import EpochReport, PointResult, TrialFailure, TrialOutcome, TrialRequest

settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")  # without a clock or chance, so that no verdict depends on load

PROCESSES = ("tests/chaos/", "tests/integration/")
"""Tests that start services and Rays."""

LAYERS = (
    LayerShape(
        name="stem", kind="conv", macs=9_000, weights=144, inputs=64, biases=16, fixed=FIRST_LAYER_BITS
    ),
    LayerShape(name="body", kind="conv", macs=150_000, weights=2_304, inputs=1_024, biases=16),
    LayerShape(name="classifier", kind="linear", macs=320, weights=320, inputs=32, biases=10),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of tests/chaos, tests/contract/test_openapi.py and tests/integration/test_batch.py."""
    parser.addoption("--kills", type=int, default=60, help="how many kills tests/chaos spends")
    parser.addoption("--chaos-seed", type=int, default=0, help="what decides which and when")
    parser.addoption("--batch-jobs", type=int, default=4, help="how many jobs the batch on a cluster has")
    parser.addoption("--api-examples", type=int, default=3, help="made-up calls of each REST operation")


class Spread(LoadScopeScheduling):
    """How pytest-xdist deals the tests out to processes: whole files, and all that start Ray to one.

    Two Rays at once would fight for the cores and so run into time limits. They are dealt out first, as they
    take longest; the other processes work off the rest meanwhile.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.split("::", maxsplit=1)[0]
        return "processes" if path.startswith(PROCESSES) else path


@pytest.hookimpl(optionalhook=True)  # pytest-xdist need not take part
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Spread:
    """Deals out by `Spread`."""
    return Spread(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first."""
    items.sort(key=lambda item: not item.nodeid.startswith(PROCESSES))


def pytest_report_header(config: pytest.Config) -> str:
    """What it takes to run tests/chaos the same again."""
    return f"chaos: --chaos-seed {config.getoption('chaos_seed')} --kills {config.getoption('kills')}"


def _postgres_server() -> PostgresServer:
    binaries = server_binaries()
    if binaries is None:
        pytest.skip(
            "no PostgreSQL server is installed (looked for initdb under /usr/lib/postgresql and on PATH)"
        )
    return PostgresServer(binaries)


@pytest.fixture(scope="session")
def shared_postgres() -> Iterator[PostgresServer]:
    """One PostgreSQL server for all tests that leave it running; skips where none is installed."""
    server = _postgres_server()
    yield server
    server.remove()


@pytest.fixture
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server that a test may stop and start as it likes."""
    server = _postgres_server()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """One S3-compatible server, reached through the environment; skips where the extra `s3` is not there."""
    pytest.importorskip("s3fs", reason="the extra s3 is not installed")
    pytest.importorskip("moto", reason="the server of the S3 tests is not installed")
    server = S3Server()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in server.environment.items():
            patch.setenv(name, value)
        yield server
    server.stop()


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The result of a whole service that nothing happened to."""
    return run_job(tmp_path_factory.mktemp("undisturbed"), lambda service, job_id: None)


@pytest.fixture
def postgres_database(shared_postgres: PostgresServer) -> Iterator[str]:
    """The URL of an empty PostgreSQL database of its own."""
    url = shared_postgres.new_database()
    yield url
    shared_postgres.drop(url)


@pytest.fixture
def sqlite_database(tmp_path: Path) -> str:
    """The URL of a SQLite file that is not there yet."""
    return f"sqlite:///{tmp_path / 'bitfront.db'}"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """An empty database of each dialect in turn."""
    return str(request.getfixturevalue(f"{request.param}_database"))


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to be copied: that takes a hundredth of what every migration takes."""
    path = tmp_path_factory.mktemp("migrated") / "bitfront.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_postgres(shared_postgres: PostgresServer) -> str:
    """The URL of a migrated PostgreSQL database to be copied."""
    url = shared_postgres.new_database()
    _migrate(url)
    return url


def _migrate(url: str) -> None:
    store = Store.open(url)
    store.migrate()
    store.close()


@pytest.fixture
def store(database_url: str, request: pytest.FixtureRequest) -> Iterator[Store]:
    """A migrated store of each dialect in turn."""
    if database_url.startswith("sqlite"):
        shutil.copy(request.getfixturevalue("migrated_sqlite"), database_url.removeprefix("sqlite:///"))
    else:
        server = request.getfixturevalue("shared_postgres")
        server.copy(request.getfixturevalue("migrated_postgres"), database_url)
    opened = Store.open(database_url)
    yield opened
    opened.close()


@pytest.fixture
def job_spec() -> Callable[..., JobSpec]:
    """Makes a small valid job; keyword arguments replace its top-level fields."""

    def make(**changes: Any) -> JobSpec:
        fields = {
            "name": "small",
            "architecture": {"name": "mlp", "width": 8},
            "dataset": {"name": "digits"},
            "budget": {"metric": "bit_budget", "max": [3, 9]},
            "methods": ["random"],
            "seeds": [0],
            "training": {"epochs": 2},
            "compute": {"trials_per_study": 3},
        }
        return JobSpec.model_validate({**fields, **changes})

    return make


class MadeUpTraining:
    """Planning and training without a network: what a trial gives follows from its request alone."""

    layers = LAYERS

    def plan(self, spec: JobSpec, data_folder: Path) -> JobPlan:
        """Stands in for `workers.planning.plan_job`."""
        return JobPlan(layers=LAYERS, cost_ranges={}, samples_per_trial=200, data_stamp="0")

    def end(self, request: TrialRequest) -> TrialOutcome | TrialFailure:
        """How a trial ends: about one in eight fails."""
        if self._luck(request) < 0.125:
            return TrialFailure(reason="nan_loss", message="the loss is not a number")
        return self.good(request)

    def good(self, request: TrialRequest) -> TrialOutcome:
        """The points of a trial that succeeds."""
        spec = JobSpec.model_validate(request.spec)
        points = tuple(
            self.point(allocation, accuracy=0.5 + self._luck(request) / 2, ordinal=ordinal)
            for ordinal, allocation in enumerate(self._allocations(spec, request))
        )
        trials = trials_of(proposal_from_json(request.proposal))
        return TrialOutcome(points=points, epochs=2 * trials, samples=200 * trials, provenance={"by": "test"})

    def point(self, allocation: Allocation, *, accuracy: float, ordinal: int = 0) -> PointResult:
        """A point with true costs and a made-up accuracy."""
        rates = {layer.name: [0.5] for layer in LAYERS}
        found = {scope: costs(LAYERS, allocation, scope, rates) for scope in ("searched", "all")}
        return PointResult(
            allocation=allocation.to_json(),
            costs=found,
            cost_versions=COST_VERSIONS,
            rates=rates,
            validation_accuracy=accuracy,
            test_accuracy=accuracy - 0.01,
            checkpoint=f"point-{ordinal}.safetensors",
            checkpoint_sha256="0" * 64,
        )

    def report(self, epoch: int) -> EpochReport:
        """An epoch whose numbers follow from its count."""
        return EpochReport(
            epoch=epoch,
            epochs=2,
            samples=100 * epoch,
            seconds=0.5,
            learning_rate=0.1 / epoch,
            train_loss=1 / epoch,
            train_accuracy=0.5,
            validation_accuracy=0.25,
            budget_cost=4.0,
            mean_weight_bits=2.0,
            mean_spike_bits=2.0,
            mean_steps=1.0,
            data_wait_share=0.02 * epoch,
        )

    def promise(self, request: TrialRequest) -> float:
        """What its validation accuracy is after each epoch."""
        return self._luck(request)

    def _luck(self, request: TrialRequest) -> float:
        trained = {name: value for name, value in request.proposal.items() if name != "note"}
        digest = hashlib.sha256(json.dumps([trained, request.seed], sort_keys=True).encode()).digest()
        return int.from_bytes(digest[:4], "big") / 2**32

    def _allocations(self, spec: JobSpec, request: TrialRequest) -> list[Allocation]:
        proposal = proposal_from_json(request.proposal)
        if isinstance(proposal, FixedBits):
            return [proposal.allocation]
        if isinstance(proposal, FixedFront):
            return list(proposal.allocations)
        budgets = proposal.budgets if isinstance(proposal, LearnFront) else (proposal.budget,)
        return [self.fitted(spec, budget) for budget in budgets]

    def fitted(self, spec: JobSpec, budget: Limit) -> Allocation:
        """An allocation within a budget."""
        bounds = spec.bits.bounds()
        wish = LayerWish(steps=2, spike_bits=(3.0,) * bounds.steps[1], weight_bits=4)
        names = [layer.name for layer in LAYERS if layer.fixed is None]
        return fit(dict.fromkeys(names, wish), LAYERS, bounds, [budget, *spec.constraint_limits()])


@pytest.fixture
def training() -> MadeUpTraining:
    """Made-up training, the same for the same request."""
    return MadeUpTraining()
