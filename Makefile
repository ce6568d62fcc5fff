# Every target runs in .venv, which `python3 run.py shell` makes.
BIN := .venv/bin

.PHONY: help
help:  ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

.PHONY: setup
setup:  ## Make or update the virtual environment
	python3 run.py shell

.PHONY: play
play:  ## Play the shipped game
	python3 run.py play

.PHONY: test
test:  ## Run every check and test, as CI does
	python3 run.py test

.PHONY: lowest
lowest:  ## Play a game with the lowest versions that are admitted
	python3 run.py lowest

.PHONY: format
format:  ## Format the code and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: types
types:  ## Check types
	$(BIN)/mypy

.PHONY: quick
quick:  ## Run the tests that take no time
	$(BIN)/python -m pytest -q -n 2 -m "not slow"

.PHONY: coverage
coverage:  ## Run the tests and show what they do not reach
	$(BIN)/python -m pytest -q -n 2 --cov --cov-report=term-missing:skip-covered

.PHONY: bench
bench:  ## Measure the record, the engine and the game (some minutes)
	$(BIN)/python benchmarks/record_saves.py
	$(BIN)/python benchmarks/record_bulk.py
	$(BIN)/python benchmarks/record_reads.py
	$(BIN)/python benchmarks/import_time.py
	$(BIN)/python benchmarks/engine.py
	$(BIN)/python benchmarks/proposers.py
	$(BIN)/python benchmarks/game.py
	$(BIN)/python benchmarks/results.py
	$(BIN)/python benchmarks/dashboard.py
	$(BIN)/python benchmarks/exchange.py

.PHONY: lock
lock:  ## Choose the exact versions anew (needs uv)
	uv pip compile -q --upgrade $(LOCK) --extra dashboard --extra report -o requirements/core.txt
	uv pip compile -q --upgrade $(LOCK) --extra dev -o requirements/dev.txt
	uv pip compile -q --upgrade $(LOCK) --resolution lowest-direct --extra dashboard \
		--extra frames --extra report -o requirements/lowest.txt
	echo 'duckdb>=1.5,<1.6' | uv pip compile -q --upgrade - $(HASHED) -o requirements/reader.txt

HASHED := --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-annotate --no-header
LOCK := pyproject.toml requirements/build.in $(HASHED)
