# Every target does all of its own set-up: a virtual environment, the packages, the Dagster home.
# Any recipe fails when one of its commands fails, on either side of a pipe.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,$(if $(shell command -v $(name)),$(name))))
VENV := .venv
BIN := $(VENV)/bin
export DAGSTER_HOME := $(CURDIR)
export DAGSTER_DISABLE_TELEMETRY := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
PIP := $(BIN)/python -m pip install --quiet
# Locked versions, each file compared with its sha256; the project itself after them.
LOCKED := $(PIP) --require-hashes --no-deps
PROJECT := $(PIP) --no-deps --editable .

.PHONY: help demo test test-heavy lint ui bench lock wheel pictures clean
help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is not installed; install one, or run: make PYTHON=/path/to/python ..."; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { echo "$(PYTHON) is $$($(PYTHON) -V), and 3.11 to 3.13 are supported; run: make PYTHON=/path/to/python ..."; exit 2; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/core: pyproject.toml requirements/core.lock | $(BIN)/python
	@echo "installing the core packages (no torch) ..."
	@$(LOCKED) --requirement requirements/core.lock
	@$(PROJECT)
	@touch $@

$(VENV)/dev: $(VENV)/core requirements/dev.lock constraints.txt
	@echo "installing the test packages (torch included) ..."
	@$(PIP) --constraint constraints.txt torch
	@$(LOCKED) --requirement requirements/dev.lock
	@touch $@

$(VENV)/dg: $(VENV)/core requirements/dev.lock constraints.txt
	@$(PIP) --constraint constraints.txt 'dagster-dg-cli'
	@touch $@

data/dagster/migrated: $(VENV)/core dagster.yaml
	@mkdir -p data/dagster
	@said=$$($(BIN)/dagster instance migrate 2>&1) || { echo "$$said"; exit 1; }
	@touch $@

demo: $(VENV)/core data/dagster/migrated  ## make a small corpus, build everything, publish it to a folder
	@$(BIN)/rainbow demo --run

TESTS ?= rainbow_assets_tests

test: $(VENV)/dev data/dagster/migrated  ## run the tests
	@$(BIN)/python -m pytest -m "not heavy" -n 2 --dist loadfile --no-loadscope-reorder $(TESTS)

test-heavy: $(VENV)/dev data/dagster/migrated  ## faults, kills, edit scripts and random examples (30 minutes at most)
	@RAINBOW_TEST_SCALE=$${RAINBOW_TEST_SCALE:-heavy} $(BIN)/python -m pytest -m "heavy or property" -n 2 --dist worksteal rainbow_assets_tests

lint: $(VENV)/dev data/dagster/migrated  ## style, types, the rules of the house, the definitions
	@$(BIN)/ruff check .
	@$(BIN)/python .ci/words
	@$(BIN)/pyright
	@$(BIN)/lint-imports --no-cache
	@said=$$($(BIN)/dagster definitions validate -m rainbow_assets.definitions 2>&1) || { echo "$$said"; exit 1; }; tail -1 <<<"$$said"

ui: $(VENV)/dg data/dagster/migrated  ## open the asset graph in the browser
	@$(BIN)/dg dev

bench: $(VENV)/dev data/dagster/migrated  ## measure; every benchmark prints ratios from one run
	@failed=; for file in benchmarks/[!_]*.py; do echo "== $$file"; $(BIN)/python $$file || failed="$$failed $$file"; done; \
	test -z "$$failed" || { echo "these ended with an error:$$failed"; exit 1; }

lock: $(VENV)/dev  ## pin the packages anew (UPGRADE=1: the newest versions)
	@$(BIN)/python requirements/lock.py $(if $(UPGRADE),--upgrade)

wheel: $(VENV)/dev  ## build the wheel and the source archive into dist/
	@$(BIN)/python -m build --quiet --outdir dist .

pictures: $(VENV)/dev  ## take the README's pictures from the demo (needs Chromium)
	@$(BIN)/python docs/pictures/take.py

clean:  ## delete all output (not the virtual environment)
	@rm -rf data/* logs .logs_queue dist build
