"""The SQL store: tables, repositories and migrations."""

from service.store.deliveries import Errand
from service.store.leases import Claim
from service.store.store import Store
from service.store.unit import Unit

__all__ = ["Claim", "Errand", "Store", "Unit"]
