# Two commands matter: `make demo` and `make test`. Each makes what it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CHARTS := service/web/charts
BUNDLE := service/web/static/charts.js
CHART_SOURCES := $(wildcard $(CHARTS)/*.mjs $(CHARTS)/src/*.ts) $(CHARTS)/package-lock.json $(CHARTS)/tsconfig.json
ARGS ?=
BENCH := benchmarks/.venv

.PHONY: demo test check format setup charts system-packages bench clean

demo: setup  ## a real search from submission to front, then a page to look at
	$(BIN)/bitfront demo $(ARGS)

test: setup system-packages  ## every test, with real PostgreSQL and Chromium
	$(BIN)/python -m pytest --numprocesses 2 --no-loadscope-reorder $(ARGS)

check: setup  ## style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

setup: $(VENV)/.installed $(BUNDLE)

charts: $(BUNDLE)

$(VENV)/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

$(BUNDLE): $(VENV)/.installed $(CHART_SOURCES)
	sh tools/build-charts $(CURDIR)/$(BIN)/python
	touch $@

bench: setup $(BENCH)/.installed  ## one benchmark beside other libraries: make bench ARGS="train_step.py --steps 2"
	$(BENCH)/bin/python benchmarks/$(ARGS)

$(BENCH)/.installed: benchmarks/requirements.txt $(VENV)/.installed
	sh tools/bench-environment $(CURDIR)/$(VENV) $(BENCH)
	touch $@

system-packages:
	sh tools/system-packages

clean:
	rm -rf $(VENV) $(BENCH) $(BUNDLE) $(CHARTS)/node_modules build *.egg-info
