# One command each. Everything is installed into .venv from this project's own files.

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
INSTALLED := $(VENV)/installed

.PHONY: demo test lint format model bench ablation clean

demo: $(INSTALLED)
	$(BIN)/complaintnlp classify data/examples/complaints.csv --out demo/tagged.csv
	$(BIN)/complaintnlp report demo/tagged.csv --out demo/report --by organisation

test: $(INSTALLED)
	$(BIN)/python -m pytest

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

model: $(INSTALLED)
	$(BIN)/python scripts/build_default_model.py

bench: $(INSTALLED)
	$(BIN)/python scripts/benchmark.py

ablation: $(INSTALLED)
	$(BIN)/python scripts/ablation.py --linear

clean:
	rm -rf $(VENV) demo build dist

# Made anew whenever what is to be installed changes. The versions in constraints.txt are those that the shipped
# model was made and the tests were run with.
$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --group dev --editable .
	@mkdir -p demo
	@touch $(INSTALLED)
