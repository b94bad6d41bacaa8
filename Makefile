# Works with GNU make 3.81. `make` alone lists the targets.
PYTHON ?= python3
BIN = .venv/bin
# Hundreds of processes are started: without compiled modules, or where nobody may write them, each takes twice as long.
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX = $(CURDIR)/.venv/compiled

.PHONY: help setup drill test test-all check soak verify bench docs lock clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{printf "%-18s %s\n", $$1, $$2}'

setup: .venv/.ready ## .venv with everything pinned in requirements.lock

.venv/.ready: requirements.lock pyproject.toml scripts/setup.sh
	@PYTHON="$(PYTHON)" sh scripts/setup.sh

drill: setup ## the main job: replay the outage on this machine (ARGS="--act fenced" to choose)
	@$(BIN)/outlast drill $(ARGS)

check: setup ## format, lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: setup check ## check and the suite; real servers come by apt with CI=true or PEERS=install
	@sh scripts/peers.sh
	$(BIN)/pytest $(ARGS)

test-all: setup check ## the suite with the long tests
	@sh scripts/peers.sh
	$(BIN)/pytest -m "" $(ARGS)

soak: setup ## half an hour of kills, freezes, restarts and restores on a real BIND (SOAK_SECONDS, SOAK_SEED)
	@sh scripts/peers.sh
	SOAK_SECONDS=$${SOAK_SECONDS:-1800} $(BIN)/pytest -m "" -s tests/soak $(ARGS)

# The peers are started as the tests start them.
bench: setup ## side by side with the peers
	@sh scripts/peers.sh
	@PYTHONPATH=tests $(BIN)/python -m benchmarks $(ARGS)

# The explorer's long tests: each fault alone, the large worlds, a hundred thousand walks.
verify: setup ## every interleaving of the protocol, in the sizes of docs/PROOF.md (about an hour)
	$(BIN)/pytest -m "" tests/simulation tests/unit/simulator $(ARGS)
	$(BIN)/outlast verify --walks 100000 --enactors 5 --plans 20 --endpoints 8 --providers 2 --janitor --crashes 3 --lost-replies 3 --fault delayed=2 --fault duplicated=2 --fault records-lost=2 --fault sentinel-lost

docs: setup ## write the pages that are made from the code (docs/CLI.md, the table of docs/PROOF.md)
	$(BIN)/python scripts/cli_reference.py
	$(BIN)/python scripts/proof_table.py

lock: setup ## resolve the dependencies anew into requirements.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --all-extras --no-header --upgrade pyproject.toml -o requirements.lock

clean: ## remove what setup and tests made
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache dist build
