# Needs Python >= 3.11 and make; everything else is installed into .venv from hashed locks.
PYTHON ?= python3
BIN := .venv/bin
FLASK := $(BIN)/python -m flask --app app
UP_OPTIONS ?=
PYTEST_OPTIONS ?=
DRILL_OPTIONS ?=

.DEFAULT_GOAL := help
.PHONY: help demo demo-lan run test check format lint types contracts bench drill mutation-drill first-migration i18n lock clean runtime tools

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

demo: runtime ## a synthetic city with people and tickets, and everything that runs it
	@exec $(FLASK) up --demo $(UP_OPTIONS)

demo-lan: runtime ## the same for phones of the local network: HTTPS with a certificate of its own
	@exec $(FLASK) up --demo --lan $(UP_OPTIONS)

run: runtime ## the same without demo data
	@exec $(FLASK) up $(UP_OPTIONS)

test: tools ## every test; what needs an absent server is skipped with the command that installs it
	$(BIN)/python -m pytest $(PYTEST_OPTIONS)

check: lint types contracts test ## what a change must pass: style, types, import contracts, tests

lint: tools
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: tools
	$(BIN)/mypy

contracts: tools
	$(BIN)/lint-imports

format: tools ## rewrite the code in the project's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Each benchmark adds its target to BENCHMARKS in benchmarks/bench.mk and writes benchmarks/results/<name>.json.
BENCHMARKS :=
-include benchmarks/bench.mk benchmarks/engine.mk benchmarks/routing.mk benchmarks/desk.mk benchmarks/stats.mk
bench: tools $(BENCHMARKS) ## every benchmark, each writing benchmarks/results/<name>.json

drill: tools ## kill the parts under load and count what was lost
	$(BIN)/python -m tests.drill $(if $(KILLS),--kills $(KILLS)) $(DRILL_OPTIONS)

mutation-drill: tools ## plant faults one by one and count which the tests notice
	$(BIN)/python -m tests.mutation --out benchmarks/results/mutation.json

LOCK := $(BIN)/uv pip compile --universal --generate-hashes --no-header --no-annotate --no-emit-index-url \
	--no-emit-find-links --no-strip-extras --python-version 3.11 --quiet pyproject.toml
i18n: tools ## bring the English catalogue up to date and list what has no English
	$(BIN)/python -m web.language.catalogue

# Until the first release there is one migration; afterwards a changed table gets one of its own.
first-migration: tools ## write the one migration anew from the tables in the code
	rm -f migrations/versions/*.py
	$(BIN)/python -c "from grid import schema; schema.revise('sqlite://', 'first tables', revision='0001')"

# Both files share one environment, so what the tools need decides for both. Extras stay written: an older pip looks for
# `name[extra]` apart from `name`, and refuses when the newest one is not the pinned one.
lock: tools ## write both lock files anew from pyproject.toml
	$(LOCK) --extra dev --extra prod --extra s3 --extra otel --extra heic -o requirements-dev.lock
	$(LOCK) --constraints requirements-dev.lock -o requirements.lock

clean: ## remove .venv and caches; instance/ (the data) stays
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

runtime:
	@$(PYTHON) deploy/bootstrap.py requirements.lock

tools:
	@$(PYTHON) deploy/bootstrap.py requirements-dev.lock
