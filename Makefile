# Everything bootstraps itself: a machine needs Python 3.11+, make and package registries.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA ?= .sara
UV := $(shell command -v uv 2>/dev/null || echo $(VENV)/uv/bin/uv)
STAMP := $(VENV)/.installed

.PHONY: setup demo test check format eval train bench studio lock audit clean

setup: $(STAMP)  ## install everything into .venv

$(STAMP): requirements.lock pyproject.toml
	@test -d $(VENV) || $(PYTHON) -m venv --without-pip $(VENV)
	@test -x "$(UV)" || { $(PYTHON) -m venv $(VENV)/uv && $(VENV)/uv/bin/python -m pip install -q uv; }
	$(UV) pip sync -q --python $(BIN)/python --require-hashes requirements.lock
	$(UV) pip install -q --python $(BIN)/python --no-deps -e .
	@touch $@

demo: setup  ## three businesses, a phone in the browser, everything embedded
	SARA_DATA_DIR=$(DATA) $(BIN)/sara demo

test: setup  ## the checks, then the tests
	@$(MAKE) --no-print-directory check
	$(BIN)/pytest -q -n 2 --dist loadfile -m "not alone"
	$(BIN)/pytest -q -m alone

check: setup  ## ruff, mypy, the import contract
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup
	$(BIN)/ruff check --fix . && $(BIN)/ruff format .

eval: setup  ## every quality suite; a report in eval.html, its figures in eval.json
	SARA_DATA_DIR=$(DATA) $(BIN)/sara eval --html eval.html --json eval.json

train: setup  ## train the small models again and print their cross-validated quality
	$(BIN)/python -m inference.train
	$(BIN)/python -m inference.train_grounding

bench: setup  ## speed of a turn
	$(BIN)/sara bench turn

studio: setup  ## LangGraph Studio's server on the same graph
	$(BIN)/sara studio

lock:  ## pin every dependency for Python 3.11 to 3.14
	$(UV) lock
	$(UV) export -q --all-groups --no-group adversary --no-group turning --no-emit-project --no-header --no-annotate -o requirements.lock

audit: setup  ## known holes in what is installed, and a bill of materials in sbom.json
	$(BIN)/ruff check --select S .
	$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --short-PURLs --output-reproducible --of JSON -o sbom.json $(BIN)/python
	$(BIN)/pip-audit --strict --require-hashes --disable-pip -r requirements.lock

clean:  ## what make setup and the checks made; .sara stays: it is a database and its keys
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
