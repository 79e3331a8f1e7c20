# Two commands do everything: `make demo` runs the main job on embedded defaults, `make test` passes.
PYTHON ?= python3.11
ifeq (,$(shell command -v $(PYTHON) 2>/dev/null))
PYTHON := python3
endif
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: demo test e2e faults lint format requirements lock clean help
.DEFAULT_GOAL := help

help: ## what can be made
	@grep -hE '^[a-z0-9-]+:.*?## ' $(MAKEFILE_LIST) | awk -F ':.*?## ' '{printf "  make %-14s %s\n", $$1, $$2}'

$(INSTALLED): requirements/dev.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Buzzy needs Python 3.11 or newer; say which with make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Installing what Buzzy is built on (once, about half a minute) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(INSTALLED) ## a Slack workspace, a cluster, Redis and the bot on this machine (ONCE=1: a scripted tour)
	@$(BIN)/buzzy demo $(if $(ONCE),--once)

# Tests mostly wait for something, so more of them run side by side than there are cores; those that measure
# how long something takes run alone, after the others. A control plane each is too much for more than two.
SIDE_BY_SIDE ?= 4

test: $(INSTALLED) ## every test that needs nothing but this machine
	@BUZZY_E2E=sandbox $(BIN)/python -m pytest tests/e2e tests/faults tests/integration tests/unit -m 'not e2e and not long and not calm' -n $(SIDE_BY_SIDE) --dist loadgroup
	@BUZZY_E2E=sandbox $(BIN)/python -m pytest tests/e2e tests/faults tests/integration tests/unit -m 'calm and not e2e and not long'

e2e: $(INSTALLED) ## the same journeys against a real Kubernetes API (BUZZY_E2E=kubeconfig: the one of KUBECONFIG)
	@$(BIN)/python -m tests.e2e
	@$(BIN)/python -m pytest tests/e2e -m 'not calm' -n 2 --dist loadgroup

faults: $(INSTALLED) ## kill bot and workers at every boundary and compare (BUZZY_FAULTS=quick or all); releases through faults
	@$(BIN)/python -m tests.faults.crashpoints
	@$(BIN)/python -m pytest tests/faults -m long

requirements: $(INSTALLED) ## each promise with the tests that prove it
	@$(BIN)/python tests/requirements.py

lint: $(INSTALLED) ## ruff, mypy (strict), import-linter
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(INSTALLED) ## let ruff format and mend what it can
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: ## lock the dependencies anew, with hashes (needs uv)
	uv pip compile -q pyproject.toml --extra dev --generate-hashes --universal -p 3.11 --no-header -o requirements/dev.lock
	uv pip compile -q pyproject.toml --generate-hashes --universal -p 3.11 --no-header -o requirements/run.lock
	uv pip compile -q requirements/build.in --generate-hashes --universal -p 3.11 --no-header -o requirements/build.lock

clean: ## remove what was installed and built
	rm -rf $(VENV) build dist
