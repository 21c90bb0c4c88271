# Two commands matter to a newcomer: `make demo` and `make test`. Both do all set-up on a bare machine
# that has Python 3.11 or newer and make. `make help` lists the rest.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup browser test lint types unit demo bench faults format lock clean

VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.set-up
# Verifiers of the evidence log and a QR reader that nobody here wrote: each in an environment of its own, for the tests.
LOCKS  := $(wildcard tests/outside/*.lock)
OUTSIDE := $(LOCKS:tests/outside/%.lock=$(VENV)/outside/%/.set-up)
# The first interpreter that runs and is new enough; a name on PATH may be a shim for a version that is absent.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
UV     := $(shell command -v uv 2>/dev/null)
ifneq ($(UV),)
INSTALL = $(UV) pip install --quiet --python $(1)
else
INSTALL = $(1) -m pip install --quiet --disable-pip-version-check
endif
# `timeout -k`: an interpreter that will not end must never hold up a build.
LIMIT  ?= 3000
BOUND  := timeout -k 30
PYTEST := $(BIN)/pytest
SOURCE := domain workflows adapters tests worker.py

help:  ## list the targets
	@grep -hE '^[a-z]+:.*## ' Makefile | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: $(STAMP) $(OUTSIDE) browser  ## make the environments in .venv from the hashed locks (again only when a lock changes)

$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: install it, or say make PYTHON=/path/to/python3" >&2; exit 1; }
	@test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	$(call INSTALL,$(BIN)/python) --require-hashes -r requirements.lock
	$(call INSTALL,$(BIN)/python) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/outside/%/.set-up: tests/outside/%.lock | $(STAMP)
	@test -x $(@D)/bin/python || $(BIN)/python -m venv $(@D)
	$(call INSTALL,$(@D)/bin/python) --only-binary :all: --require-hashes -r $<
	@touch $@

# The tests of pages need a Chromium. Where there is none, root on Debian gets the small one; elsewhere they are skipped, and say so.
browser: $(STAMP)
	@$(BIN)/python -m tests.browser >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get -qq update \
	&& DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends chromium-headless-shell >/dev/null; } \
	|| $(BIN)/python -m tests.browser || true

test: setup lint unit  ## set up, check style, types and layers, then run every test but the long ones

lint: setup  ## ruff, mypy and the layer contracts
	$(BIN)/ruff check $(SOURCE)
	$(BIN)/ruff format --check $(SOURCE)
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

# What starts servers and ends them waits for much of its time: it runs beside the rest, and is printed after it. How both
# ended, and what failed in either, is said once more at the very end.
BESIDE := tests/contract tests/faults tests/outside tests/process
unit: setup  ## the tests alone; narrow them with ARGS="tests/unit -k clock"
ifneq ($(strip $(ARGS)),)
	$(BOUND) $(LIMIT) $(PYTEST) $(ARGS)
else
	@said=$$(mktemp -d); set -o pipefail; \
	$(BOUND) $(LIMIT) $(PYTEST) -p no:cacheprovider $(BESIDE) > "$$said/beside" 2>&1 & beside=$$!; \
	trap 'kill $$beside 2>/dev/null; rm -rf "$$said"' EXIT; \
	$(BOUND) $(LIMIT) $(PYTEST) $(BESIDE:%=--ignore=%) 2>&1 | tee "$$said/rest"; rest=$$?; \
	wait $$beside; beside_ended=$$?; cat "$$said/beside"; \
	echo; tail -qn 1 "$$said/rest" "$$said/beside"; grep -hE '^(FAILED|ERROR) ' "$$said/rest" "$$said/beside"; \
	exit $$((rest > beside_ended ? rest : beside_ended))
endif

demo: $(STAMP)  ## a fictional sub-district runs from call to close, in under two minutes
	$(BIN)/huiyin demo

bench: setup  ## measure speed and memory against the limit of this machine
	$(BOUND) $(LIMIT) $(PYTEST) -m benchmark --timeout=0 -p no:xdist -s tests/benchmarks $(ARGS)

faults: setup  ## the long fault runs: kill, cut, wipe, while forty lives run
	$(BOUND) $(LIMIT) $(PYTEST) -m "faults or long" --timeout=1200 tests/faults $(ARGS)

format: setup  ## let ruff put the source in order
	$(BIN)/ruff check --fix $(SOURCE)
	$(BIN)/ruff format $(SOURCE)

# uv alone writes one hashed file for every supported Python without naming a registry or a path.
LOCK := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
lock:  ## resolve pyproject.toml and tests/outside/*.in into hashed locks (UPGRADE=--upgrade for newer versions)
	@tmp=$$(mktemp -d) && trap 'rm -rf "$$tmp"' EXIT && uv="$(UV)" \
	&& { test -n "$$uv" || { "$(PYTHON)" -m venv "$$tmp" && "$$tmp/bin/pip" install --quiet --disable-pip-version-check uv \
	     && uv="$$tmp/bin/uv"; }; } \
	&& "$$uv" pip compile $(LOCK) --all-extras $(UPGRADE) pyproject.toml -o requirements.lock \
	&& for one in tests/outside/*.in; do "$$uv" pip compile $(LOCK) $(UPGRADE) "$$one" -o "$${one%.in}.lock" || exit 1; done
	@! grep -nE 'https?://|file:|^ *--(extra-)?index-url' requirements.lock tests/outside/*.lock \
	|| { echo "a lock names a registry or a path" >&2; exit 1; }

clean:  ## remove the environment, the demo's data and every cache
	rm -rf $(VENV) .huiyin .bench .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
