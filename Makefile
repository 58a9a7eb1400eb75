# Needs python >= 3.11 and make; everything else is installed into .venv/, checked against the hashes
# in config/requirements/.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
LOCKS := config/requirements
RUN := $(VENV)/.run-installed
DEV := $(VENV)/.dev-installed

PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
# Hashes are in the lock file; a package without one is refused.
INSTALL := $(PIP) install --require-hashes --no-deps -r
EDITABLE := $(PIP) install --no-deps --no-build-isolation --editable .

# Whole systems, killed and restarted: they wait more than they work, and come after the rest. Two
# files measure how a system does under its own load, and want the machine for themselves.
SYSTEMS := tests/crash tests/e2e tests/cli/test_up.py
ALONE := tests/crash/test_chaos.py tests/e2e/test_lanes.py
PYTEST := $(BIN)/pytest --numprocesses 2 --dist loadfile

MINUTES ?= 10
SEED ?= 1

.PHONY: up test bench crash fuzz lint fmt clean lock audit help

up: $(RUN) ## run everything on this machine, until Ctrl-C
	@exec $(BIN)/sluice up

test: $(DEV) ## the whole suite: lint, types, import rules, tests
	@$(MAKE) lint
	$(PYTEST) $(addprefix --ignore=,$(SYSTEMS))
	$(PYTEST) $(SYSTEMS) $(addprefix --ignore=,$(ALONE))
	$(BIN)/pytest $(ALONE)

bench: $(DEV) ## measure, print the table, write var/bench.jsonl
	$(BIN)/python -m tests.bench

crash: $(DEV) ## break everything under load for MINUTES=10 with SEED=1, and judge what came of it
	$(BIN)/python -m tests.crash.chaos --minutes $(MINUTES) --seed $(SEED)

fuzz: $(DEV) ## random requests against the receiver: MINUTES=10 SEED=1
	FUZZ_SECONDS=$$(( $(MINUTES) * 30 )) FUZZ_SEED=$(SEED) $(BIN)/pytest tests/web/fuzz

lint: $(DEV) ## style, types, import rules
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

fmt: $(DEV) ## put the code into its usual form
	$(BIN)/ruff check --fix-only --quiet
	$(BIN)/ruff format

clean: ## remove what was made: .venv/, caches, and the data of `make up` in var/
	@if [ -e var/up.lock ] && command -v flock >/dev/null && ! flock -n var/up.lock true; then \
		echo "make up is running on var/; stop it first" >&2; exit 1; fi
	rm -rf $(VENV) var dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage
	find app worker tests -name __pycache__ -type d -prune -exec rm -rf {} +

lock: $(DEV) ## renew the lock files from pyproject.toml (needs uv)
	uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 \
		--extra build pyproject.toml -o $(LOCKS)/run.lock
	uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 \
		--extra build --extra dev pyproject.toml -o $(LOCKS)/dev.lock

audit: $(DEV) ## known vulnerabilities of what is in the lock files (needs pip-audit and the network), licences
	@command -v pip-audit >/dev/null || { \
		echo "make audit needs pip-audit: pipx install pip-audit" >&2; exit 1; }
	@for lock in run dev; do \
		echo "auditing $$lock.lock"; said=$$(mktemp); \
		if ! pip-audit --strict --require-hashes --disable-pip --progress-spinner off \
			-r $(LOCKS)/$$lock.lock >$$said 2>&1; then \
			tail -n 40 $$said >&2; \
			if grep -qE "could not be audited|Max retries|Failed to resolve|Timeout" $$said; then \
				echo "the vulnerability service could not be asked: nothing was audited" >&2; fi; \
			rm -f $$said; exit 1; fi; \
		rm -f $$said; done
	$(BIN)/pytest tests/test_dependencies.py

.env: .env.example ## settings of docker compose, with a signing key of your own
	@umask 077; key=$$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n'); \
	sed "s/^EXAMPLE_SIGNING_KEY=.*/EXAMPLE_SIGNING_KEY=$$key/" .env.example > .env
	@echo "wrote .env"

help: ## this list
	@grep -hE '^[a-z.]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z.]+):.*## /  make \1\t/' | expand -t 14

# An interpreter, found once. The last word of the recipe is what a bare machine reads.
$(BIN)/python:
	@for name in python3 python3.13 python3.12 python3.11 python; do \
		if command -v $$name >/dev/null && \
			$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			found=$$name; break; fi; \
	done; \
	if [ -z "$${found:-}" ]; then \
		echo "Sluice needs Python 3.11 or newer, and found none: install it and try again" >&2; exit 1; fi; \
	echo "making $(VENV)/ with $$found"; \
	if ! $$found -m venv --clear $(VENV) 2>/dev/null; then \
		rm -rf $(VENV); \
		echo "$$found cannot make a virtual environment: install its venv package (Debian: apt install python3-venv)" >&2; \
		exit 1; fi

# Installed when the lock file or pyproject.toml is newer than the last time.
$(RUN): $(LOCKS)/run.lock pyproject.toml | $(BIN)/python
	@if [ ! -e $(DEV) ] || [ $(LOCKS)/dev.lock -nt $(DEV) ]; then \
		echo "installing what Sluice needs"; $(INSTALL) $(LOCKS)/run.lock; fi
	@$(EDITABLE)
	@touch $@

$(DEV): $(LOCKS)/dev.lock pyproject.toml | $(BIN)/python
	@echo "installing what the tests need"
	@$(INSTALL) $(LOCKS)/dev.lock
	@$(EDITABLE)
	@touch $@ $(RUN)
