# Every target does its own set-up: on a machine with Python 3.11, make and git, `make demo` and `make test` are enough.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test sim check format bench docs lock clean

help:
	@echo "make demo     seven incidents in a simulated AWS account, and the answers (LOGS=dir adds your own logs)"
	@echo "make test     the whole test suite"
	@echo "make sim      two days of evidence under faults, a thousand times over"
	@echo "make check    format, lint, types, layers, house rules (under a minute)"
	@echo "make bench    the measurements, side by side with their peers"
	@echo "make docs     write the generated reference under docs/reference"
	@echo "make setup    only create .venv; make lock writes the locked dependency sets anew"

setup: $(STAMP)

$(STAMP): requirements/dev.lock pyproject.toml tools/setup.sh
	@PYTHON="$(PYTHON)" sh tools/setup.sh
	@touch $(STAMP)

demo: setup
	@$(BIN)/trailstate demo $(if $(LOGS),--logs "$(LOGS)") $(ARGS)

test: setup
	@export TRAILSTATE_PROTOCOL_CASES="$${TRAILSTATE_PROTOCOL_CASES:-$$(sh tools/protocol_cases.sh)}"; \
	$(BIN)/python -m pytest -q -n 2 --dist loadfile $(ARGS)

sim: setup
	@$(BIN)/python -m tests.simulation.run $(ARGS)

check: setup
	@$(BIN)/ruff format --check src tests bench tools || { echo "make format would reformat the files above"; exit 1; }
	@$(BIN)/ruff check --quiet src tests bench tools
	@$(BIN)/mypy
	@$(BIN)/lint-imports --verbose >.venv/layers.log 2>&1 || { cat .venv/layers.log; exit 1; }
	@$(BIN)/python -m pytest -q tests/test_tidy.py

format: setup
	@$(BIN)/ruff format src tests bench tools
	@$(BIN)/ruff check --fix --quiet src tests bench

bench: setup
	@$(BIN)/python -m bench $(ARGS)

docs: setup
	@$(BIN)/python -m trailstate.cli.reference

lock: setup
	@$(BIN)/python tools/lock.py

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .import_linter_cache .hypothesis
