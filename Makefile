# Everything starts here, with nothing but make and Python 3.11+. `make help` lists the targets.
SHELL := /bin/sh
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SERVICE ?= imba
PORT ?= 8000
HOST ?= 127.0.0.1
# Demo data for `make serve`: 1 a good helping, all everything there is, 0 none.
DEMO ?= 1
# Where it is set, every one of the many processes of the suite would compile everything again.
unexport PYTHONDONTWRITEBYTECODE
# Passed on to pytest: make test ARGS="tests/store -k cursor"
ARGS ?=

# A pyenv shim may exist and not run, so each candidate is started, not merely found.
CANDIDATES := $(or $(PYTHON),python3.13 python3.12 python3.11 python3 python)
find_python = for candidate in $(CANDIDATES); do \
	  "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && python=$$candidate && break; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "Freehold needs Python 3.11 or later; none of these is: $(CANDIDATES)." >&2; \
	  echo "Install one, or name it: make PYTHON=/path/to/python3.12" >&2; exit 1; \
	fi

# only(folder, file pattern, command): run the command, or say that there is nothing to run yet.
only = if [ -n "$$(find $(1) -name '$(2)' 2>/dev/null | head -n 1)" ]; then $(3); \
	else echo "make $@: nothing to run, $(1)/ holds no $(2)"; fi

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(STAMP): requirements.lock pyproject.toml scripts/bootstrap.py
	@$(find_python); "$$python" scripts/bootstrap.py $(VENV) && touch $@

.PHONY: install
install: $(STAMP) ## make .venv hold exactly what requirements.lock names

.PHONY: serve
serve: $(STAMP) ## run a service: SERVICE=imba PORT=8000 DEMO=1|all|0 FREEHOLD_VAR_DIR=var
	@exec $(BIN)/freehold serve services.$(SERVICE).app:app --host $(HOST) --port $(PORT) --migrate --demo $(DEMO)

.PHONY: test
test: $(STAMP) ## the whole suite
	@$(BIN)/pytest -n auto --dist worksteal $(ARGS)

.PHONY: test-all
test-all: $(STAMP) ## the suite as the pipeline runs it: on both databases, with what takes seconds each
	@FREEHOLD_TEST_DATABASES=both $(BIN)/pytest -n auto --dist worksteal -m "not faults and not proof" $(ARGS)

# The declaration, the plans, the store and the protocol, without applications that must start: seconds, on SQLite alone.
FAST := $(addprefix tests/,resource query store contract traffic observe calendar wording remote test_settings.py) \
	$(addprefix tests/web/,test_resources.py test_problems.py test_body.py test_edge_requests.py test_edge_load.py)

.PHONY: test-fast
test-fast: $(STAMP) ## the core of the suite, in seconds: no slow tests, no servers
	@FREEHOLD_TEST_DATABASES=sqlite $(BIN)/pytest -n auto --dist worksteal \
	  -m "not slow and not long and not faults and not proof and not services" $(ARGS) $(FAST)

.PHONY: coverage
coverage: $(STAMP) ## the whole suite with branch coverage of the toolkit (at least 95 %)
# coverage starts first and starts itself in every process, for pytest loads the toolkit (its plugin) before any option of
# its own could: lines that run at import would count as missed.
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest -n auto --dist worksteal $(ARGS)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

.PHONY: check
check: $(STAMP) ## lint, format, types, import direction, drift of the lock and of .env.example, the contract with clients
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python scripts/lock.py check
	@$(BIN)/freehold settings --example | diff .env.example - \
	  || { echo ".env.example is behind the settings: run make env-example" >&2; exit 1; }
	@$(BIN)/freehold contract diff

.PHONY: services
services: ## find PostgreSQL, Chromium, Node.js and the rest; install or start what the suite needs
	@$(find_python); "$$python" scripts/find_services.py

.PHONY: fuzz
fuzz: $(STAMP) ## generated requests against the OpenAPI document (minutes)
	@$(call only,tests/fuzz,test_*.py,FREEHOLD_TEST_FUZZ_CASES=2000 FREEHOLD_TEST_DATABASES=both $(BIN)/pytest -n auto --dist worksteal --timeout 1200 -m "long or not long" tests/fuzz $(ARGS))

.PHONY: faults
faults: $(STAMP) ## kill -9, hot keys, cut lines, full disks, wrong clocks; writes docs/reference/faults.md (tens of minutes)
# FREEHOLD_TEST_KILL_ROUNDS=100 kills as often as the figures in the page; every other fault strikes a tenth as often.
	@$(BIN)/pytest --timeout 1200 -m "faults or not faults" tests/faults $(ARGS)
	@FREEHOLD_TEST_DATABASES=both $(BIN)/pytest --timeout 1200 -m faults services $(ARGS)
	@PYTHONPATH=.:scripts $(BIN)/python -m tests.faults.campaign

.PHONY: bench bench-quick bench-growth
bench: $(STAMP) ## measure everything, side by side with other frameworks; results as data and docs/reference/speed.md (an hour)
	@$(call only,bench,__main__.py,$(BIN)/python -m bench $(ARGS))
	@$(BIN)/python -m bench.versus $(ARGS)

bench-quick: $(STAMP) ## Freehold, FastAPI with SQLAlchemy and bare asyncpg side by side, in under two minutes; keeps nothing
	@$(BIN)/python -m bench.versus --quick $(ARGS)

bench-growth: $(STAMP) ## what reads cost at 100,000 and at ten million rows (tens of minutes)
	@$(BIN)/python -m bench.versus.growth $(ARGS)

.PHONY: load
load: $(STAMP) ## Imba with its demo under the load that its declaration describes, by Locust: ARGS="--users 50 --seconds 60"
	@$(BIN)/python -m bench.load $(ARGS)

.PHONY: proof
proof: $(STAMP) ## the same service in stock FastAPI and in Freehold, through crashes, races and leaks, as a table (minutes)
	@$(BIN)/python -m proof $(ARGS)

.PHONY: proofs-of-services
proofs-of-services: $(STAMP) ## end to end: served and killed, generated projects, planted faults that must be caught (minutes)
	@FREEHOLD_TEST_DATABASES=both $(BIN)/pytest -n auto --dist worksteal --timeout 300 -m proof $(ARGS)

# CLUSTER_PORT=8100 is the first of thirty ports; CLUSTER_APIS=4 CLUSTER_WORKERS=2 CLUSTER_DIR=var/cluster.
cluster_ = PYTHONPATH=.:scripts $(BIN)/python -m deploy.cluster

.PHONY: cluster cluster-down cluster-roll cluster-status
cluster: $(STAMP) ## Imba as in production, on one machine: 4 processes behind nginx, workers, every server; DEMO=1|all|0
	@$(cluster_) up --demo $(DEMO)

cluster-down: $(STAMP) ## end what `make cluster` started, and nothing else
	@$(cluster_) down

cluster-roll: $(STAMP) ## restart its API processes one by one, and cut no request
	@$(cluster_) roll

cluster-status: $(STAMP) ## what of it runs, and is ready
	@$(cluster_) status

.PHONY: format
format: $(STAMP) ## rewrite the code as ruff wants it
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

.PHONY: lock
lock: $(STAMP) ## make requirements.lock anew from pyproject.toml
	@$(BIN)/python scripts/lock.py make

.PHONY: env-example
env-example: $(STAMP) ## make .env.example anew from the settings
	@$(BIN)/freehold settings --example > .env.example

.PHONY: clean
clean: ## remove the virtual environment and the caches; var/ stays
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache htmlcov .coverage .coverage.* dist
