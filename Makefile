# Every target does all of its own set-up: a virtual environment, the packages, the Dagster home.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
export DAGSTER_HOME := $(CURDIR)
export DAGSTER_DISABLE_TELEMETRY := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
PIP_INSTALL := $(BIN)/python -m pip install --quiet --constraint constraints.txt
SOURCES := pyproject.toml constraints.txt

.PHONY: demo test test-heavy lint ui bench clean help
help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

$(VENV)/core: $(SOURCES)
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not installed; install Python 3.11 or run: make PYTHON=python3 ..."; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the core packages (no torch) ..."
	@$(PIP_INSTALL) --editable .
	@touch $@

$(VENV)/dev: $(VENV)/core
	@echo "installing the test packages (torch included) ..."
	@$(PIP_INSTALL) torch==2.13.0
	@$(PIP_INSTALL) --editable '.[torch,modal,dev]'
	@touch $@

data/dagster/migrated: $(VENV)/core dagster.yaml
	@mkdir -p data/dagster
	@$(BIN)/dagster instance migrate >/dev/null 2>&1
	@touch $@

demo: $(VENV)/core data/dagster/migrated  ## make a small corpus, build everything, publish it to a folder
	@$(BIN)/rainbow demo --run

test: $(VENV)/dev data/dagster/migrated  ## run the tests (15 minutes at most on 2 cores)
	@$(BIN)/python -m pytest -m "not heavy" -n 2 --dist loadfile rainbow_assets_tests

test-heavy: $(VENV)/dev data/dagster/migrated  ## faults, kills and edit scripts (30 minutes at most)
	@RAINBOW_TEST_SCALE=heavy $(BIN)/python -m pytest -m heavy rainbow_assets_tests

lint: $(VENV)/dev  ## style, types, the rules of the house, the definitions
	@$(BIN)/ruff check .
	@$(BIN)/pyright
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/dagster definitions validate -m rainbow_assets.definitions 2>&1 | grep -v Warning | tail -1

ui: $(VENV)/core data/dagster/migrated  ## open the asset graph in the browser
	@$(BIN)/dagster dev

bench: $(VENV)/dev data/dagster/migrated  ## measure; every benchmark prints ratios from one run
	@for file in benchmarks/*.py; do case $$file in */_*) ;; *) echo "== $$file"; $(BIN)/python $$file || exit 1;; esac; done

clean:  ## delete all output (not the virtual environment)
	@rm -rf data/* logs .logs_queue
