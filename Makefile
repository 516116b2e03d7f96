# Everything a newcomer needs; each target makes what it stands on.
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
PORT ?= 3000
MOVIES_HOME ?= $(CURDIR)/data
export MOVIES_HOME

.PHONY: demo test test-fast dev bench docs screenshots lint clean

demo: $(VENV)/.installed  ## made-up deliveries, refreshed, and the answers
	@sh bin/demo $(BIN) data/demo

test: $(VENV)/.installed-dev  ## all tests
	$(BIN)/python -m pytest -q -n auto --dist loadfile --no-loadscope-reorder

test-fast: $(VENV)/.installed-dev  ## those that need no servers and no real data
	$(BIN)/python -m pytest -q -n auto --dist loadfile --no-loadscope-reorder -m "not slow and not real"

dev: $(VENV)/.installed  ## the Dagster UI (PORT=3000) and daemon on the same home
	@$(BIN)/python -c "import socket; socket.create_server(('127.0.0.1', $(PORT)))" 2> /dev/null || \
	{ echo "Port $(PORT) is in use: choose another, for example make dev PORT=3333."; exit 1; }
	@$(BIN)/movies-platform status > /dev/null
	@MOVIES_HOME="$$(cd "$$MOVIES_HOME" && pwd)"; DAGSTER_HOME="$${DAGSTER_HOME:-$$MOVIES_HOME/dagster}"; \
	export MOVIES_HOME DAGSTER_HOME; \
	export PYTHONWARNINGS='ignore:Function `dev_command` is superseded'; \
	echo "The UI will be at http://127.0.0.1:$(PORT) in some seconds; stop it with Ctrl-C."; \
	$(BIN)/dagster dev -w workspace.yaml -h 127.0.0.1 -p $(PORT) --log-level warning

bench: $(VENV)/.installed-dev  ## measurements, written to docs/benchmarks.md
	$(BIN)/python bench/run.py real
	$(BIN)/python bench/run.py scale --factors 10 --repeat 5 --only refresh pandas dagster floor
	$(BIN)/python bench/run.py scale --factors 100 --repeat 1
	$(BIN)/python bench/run.py history
	$(BIN)/python bench/run.py files --repeat 1
	$(BIN)/python bench/publish.py
	$(BIN)/python bench/api.py --home $(MOVIES_HOME)

docs: $(VENV)/.installed-dev  ## docs that are made from the code
	$(BIN)/python -m movies_platform.docs

screenshots: $(VENV)/.installed-dev  ## the pictures of the docs (needs Debian's chromium)
	$(BIN)/python -m movies_platform_tests.screenshots

lint: $(VENV)/.installed-dev  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf $(VENV) build *.egg-info

$(VENV)/bin/python:
	@echo "Making a virtual environment in $(VENV)."
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml
	@echo "Installing the platform and what it needs into $(VENV): a minute or two; pip speaks only of problems."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/bin/python pyproject.toml
	@echo "Installing the platform and what its tests need into $(VENV): a minute or two; pip speaks only of problems."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[dev]"
	@touch $@ $(VENV)/.installed
