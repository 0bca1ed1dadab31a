"""What people wait for, over made-up results: python benchmarks/service.py [--url postgresql://...]

Runs service_figures.py: this file has the name of the package that it measures, and would be imported for it.
"""

import runpy
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent

if __name__ == "__main__":
    sys.path = [folder for folder in sys.path if Path(folder).resolve() != HERE]
    runpy.run_path(str(HERE / "service_figures.py"), run_name="__main__")
