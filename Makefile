# Needs only Python 3.11 or newer and make. Each target makes its own environment when there is none.

PYTHON ?= python3
VENV ?= .venv
ifeq ($(OS),Windows_NT)
  PYTHON = python
  BIN = $(VENV)/Scripts
else
  BIN = $(VENV)/bin
endif
READY = $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help demo test check bench workbooks conformance mutation clean

help:  ## what can be made
	@echo "make demo       a budget workbook, made and recalculated, with its answer"
	@echo "make test       the fast tests"
	@echo "make check      lint, types, every test with coverage, generated files up to date"
	@echo "make bench      benchmarks, as ratios within one run"
	@echo "make workbooks  the committed templates and pages, made anew"
	@echo "make conformance  the table of functions that are believed, measured anew (needs the corpus)"
	@echo "make mutation   mutants of the formulas and the model against their tests (hours)"

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[dev]"
	@$(PYTHON) -c "open('$(READY)', 'w').close()"

demo: $(READY)
	$(BIN)/python -m xltoken demo

test: $(READY)
	$(BIN)/python -m pytest

check: $(READY)
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/python -m pytest -m "" --cov --cov-report=term
	$(BIN)/python tests/coverage_floor.py
	$(BIN)/python -m xltoken new token_budget -o workbooks/token_budget.xlsx
	$(BIN)/python -m xltoken new self_test -o workbooks/self_test.xlsx

bench: $(READY)
	$(BIN)/python benchmarks/start.py
	$(BIN)/python benchmarks/recalc.py
	$(BIN)/python benchmarks/simulation.py
	$(BIN)/python benchmarks/scenarios.py

workbooks: $(READY)
	$(BIN)/python -m xltoken new token_budget -o workbooks/token_budget.xlsx --force
	$(BIN)/python -m xltoken new self_test -o workbooks/self_test.xlsx --force
	$(BIN)/python -m xltoken platforms -o docs/which-platform.md

conformance: $(READY)
	$(BIN)/python tests/recalc/conformance_tools.py

mutation: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check mutmut
	$(BIN)/mutmut run

clean:
	rm -rf $(VENV) demo build *.egg-info .coverage .mypy_cache .ruff_cache .pytest_cache
