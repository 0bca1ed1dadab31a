"""One unit of work: all repositories over one transaction."""

from __future__ import annotations

from service.store.ablations import AblationRepository
from service.store.batches import BatchRepository
from service.store.clouds import CloudRepository
from service.store.comparisons import ComparisonRepository
from service.store.curves import CurveRepository
from service.store.deliveries import DeliveryRepository
from service.store.events import EventRepository
from service.store.fits import FitRepository
from service.store.fronts import FrontRepository
from service.store.incidents import IncidentRepository
from service.store.jobs import JobRepository
from service.store.keys import KeyRepository
from service.store.outbox import Outbox
from service.store.pace import PaceRepository
from service.store.points import PointRepository
from service.store.queue import QueueRepository
from service.store.quotas import QuotaRepository
from service.store.reruns import RerunRepository
from service.store.results import ResultRepository
from service.store.retention import RetentionRepository
from service.store.studies import StudyRepository
from service.store.transaction import Transaction
from service.store.trials import TrialRepository
from service.store.uploads import UploadRepository
from service.store.webhooks import WebhookRepository
from service.store.workspace_scope import WorkspaceSession
from service.store.workspaces import WorkspaceRepository


class Unit:
    """The repositories of one transaction; `studies` and `results` are the engine's, `deliveries` that of
    whoever sends to webhooks."""

    def __init__(self, session: WorkspaceSession) -> None:
        transaction = Transaction(session)
        self.workspaces = WorkspaceRepository(transaction)
        self.keys = KeyRepository(transaction)
        self.quotas = QuotaRepository(transaction)
        self.outbox = Outbox(transaction)
        self.webhooks = WebhookRepository(transaction)
        self.deliveries = DeliveryRepository(transaction)
        self.events = EventRepository(transaction, self.outbox)
        self.incidents = IncidentRepository(transaction)
        self.jobs = JobRepository(transaction, self.events, self.quotas)
        self.queue = QueueRepository(transaction)
        self.ablations = AblationRepository(transaction, self.jobs)
        self.batches = BatchRepository(transaction, self.jobs)
        self.trials = TrialRepository(transaction)
        self.uploads = UploadRepository(transaction)
        self.curves = CurveRepository(transaction)
        self.points = PointRepository(transaction)
        self.fronts = FrontRepository(transaction, self.points)
        self.fits = FitRepository(transaction)
        self.clouds = CloudRepository(transaction)
        self.comparisons = ComparisonRepository(transaction)
        self.pace = PaceRepository(transaction)
        self.studies = StudyRepository(transaction, self.jobs)
        self.reruns = RerunRepository(transaction, self.outbox, self.quotas)
        self.retention = RetentionRepository(transaction)
        self.results = ResultRepository(transaction, self.jobs, self.events)
