"""What a point must carry so that it can be reproduced: versions, threads and the data's hash."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import Any

DISTRIBUTIONS = ("bitfront", "torch", "numpy", "optuna", "ray", "scikit-learn")


def provenance(*, threads: int, data_sha256: str, processes: int = 1) -> dict[str, Any]:
    """Versions of what computed a result, the torch threads of each process, and the hash of its data."""
    return ({"processes": processes} if processes > 1 else {}) | {
        "versions": {name: version(name) for name in DISTRIBUTIONS},
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "threads": threads,
        "data_sha256": data_sha256,
    }
