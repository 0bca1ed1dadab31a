"""What people wait for, over made-up results: python benchmarks/service.py [--url postgresql://...]

Runs service_figures.py. This file has the name of the package that it measures, and Python looks beside a
script first: where another benchmark imports `service`, it steps aside for the package.
"""

import importlib
import runpy
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
before = sys.path
sys.path = [folder for folder in before if Path(folder).resolve() != HERE]

if __name__ == "__main__":
    runpy.run_path(str(HERE / "service_figures.py"), run_name="__main__")
else:
    del sys.modules[__name__]
    importlib.import_module(__name__)
    sys.path = before
