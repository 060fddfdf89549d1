# Every target makes what it needs. On a fresh machine: make demo, make test.
PYTHON ?= python3
BIN := .venv/bin
# By file: what a file's tests share is then made once.
IN_PARALLEL := --numprocesses auto --maxprocesses 4 --dist loadfile

.PHONY: help demo test faults slow mutants bench truth field check docs map pictures checkpoints notebooks clean

help:            ## this list
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/: .*## /\t/' | expand -t 16

# One thread, and a network far from every cut-off, so that it ends with the same sentence on every machine: without attention
# to choose between the numbers there is only the pizza.
demo: .venv/installed            ## train a network from scratch, say what it does, make its page
	@rm -rf runs/demo
	$(BIN)/interp-train --recipe zhong-2023 --network.attention-rate 0 --steps 2500 --threads 1 --out runs/demo
	$(BIN)/interp-analyze runs/demo/model.pt --only amplitude_profile --html runs/demo/page.html

test: .venv/installed-test       ## the tests, less the slow ones
	$(BIN)/pytest $(IN_PARALLEL) -m "not slow and not faults"

# Linux only: without a network, because Ray asks an outside address for its own.
faults: .venv/installed-ray      ## minutes of processes killed and files mutated; a Ray cluster that loses a node
	unshare -n sh -c 'ip link set lo up && RAY_USAGE_STATS_ENABLED=0 $(BIN)/pytest -m faults'

slow: .venv/installed-test       ## the slow tests, and every notebook
	$(BIN)/pytest $(IN_PARALLEL) --dist load -m slow
	$(BIN)/pytest $(IN_PARALLEL) --nbmake notebooks

mutants: .venv/installed-mutants ## would the tests notice? 200 faults put in one at a time (an hour; results in build/mutants)
	$(BIN)/python tests/mutants.py

bench: .venv/installed-test      ## a training step beside the usual ways to compute it
	@$(BIN)/python benchmarks/step.py
	@$(BIN)/python benchmarks/workers.py
	@$(BIN)/python benchmarks/denormals.py
	@$(BIN)/python benchmarks/sweep.py
	@$(BIN)/python benchmarks/proofs.py

truth: .venv/installed-test      ## others' networks: their values beside ours (needs ../shared/peers)
	$(BIN)/python tests/truth_table.py

field: .venv/installed-test      ## checkpoints as people publish them, read: docs/field.md (needs ../shared/peers/field)
	$(BIN)/python tests/field_table.py > build/field.md && mv build/field.md docs/field.md

check: .venv/installed-test      ## lint, format, spelling, types and the direction of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/codespell
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

# The variable silences an advertisement, not a warning. Not --quiet: with it mkdocs counts no warning, and --strict refuses nothing.
docs: .venv/installed-test       ## the documentation as a site that needs no network: build/site/index.html
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

map: .venv/installed              ## docs/map.md and analyses/__init__.pyi, from what there is
	$(BIN)/python docs/make_map.py
	$(BIN)/python -m analyses.names

pictures: .venv/installed-test   ## the pictures of the README and of docs/concepts/ (needs Chromium)
	$(BIN)/python pictures/make.py
	$(BIN)/python pictures/concepts.py

checkpoints: .venv/installed     ## retrain everything in checkpoints/ (minutes)
	sh checkpoints/train.sh $(BIN)

notebooks: .venv/installed-test  ## run the scripts in notebooks/ and write their .ipynb (minutes; needs chromium)
	$(BIN)/python notebooks/build.py

clean:                           ## remove the environment and caches
	rm -rf .venv build *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[lens,figures]'
	@touch $@

.venv/installed-test: .venv/installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test]'
	@touch $@

.venv/installed-ray: .venv/installed-test
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[ray]'
	@touch $@

.venv/installed-mutants: .venv/installed-test
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[mutants]'
	@touch $@
