# Needs only python3 (3.11 or newer) and make; everything else goes into .venv.
PYTHON ?= python3
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo install test test-slow soak lint docs clean bench-curate bench-screens bench-train bench-card bench-scale

help:
	@echo "make demo      run all of catgan on a photo album it generates, in demo/ (five minutes, offline)"
	@echo "make install   install catgan into .venv (a few minutes the first time)"
	@echo "make test      lint, types and the tests"
	@echo "make test-slow the tests that take their time: other people's libraries and programs"
	@echo "make soak      a campaign of faults and bad input (an hour; see docs/reliability.md)"
	@echo "make lint      lint and types alone"
	@echo "make docs      the pages of docs/commands, from the code"
	@echo "make bench-curate   what each way of finding faces finds, and how fast (PHOTOS=folder)"
	@echo "make bench-screens  what the screens for blur and darkness cost and catch"
	@echo "make bench-train    how fast training is, against the PyTorch tutorial's loop (six minutes)"
	@echo "make bench-card     how fast training is on an NVIDIA GPU (three minutes)"
	@echo "make bench-scale    what a million photos cost besides looking at them (half an hour)"
	@echo "make clean     delete .venv"

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "catgan needs Python 3.11 or newer; name one: make install PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv .venv \
	  || { rm -rf .venv; echo "This Python cannot create virtual environments; on Debian and Ubuntu: apt install python3-venv"; exit 1; }

# One stamp for each kind of installation: what is newer than pyproject.toml stays.
.venv/installed: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

.venv/installed-dev: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@ .venv/installed

install: .venv/installed
	@echo "Ready. Run:  . .venv/bin/activate  and then:  catgan --help"

# Nobody needs photos for a first look. It writes to demo/. DEMO: another folder, and options, say
# DEMO="../cats --seed 1".
DEMO ?=

demo: .venv/installed
	@echo '$$ catgan demo $(DEMO)'; $(BIN)/catgan demo $(DEMO)

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# A process for each core, and one thread in each: PyTorch's threads would wait for each other.
test: lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile

test-slow: .venv/installed-dev
	$(BIN)/python -m pytest -m slow

docs: .venv/installed-dev
	$(BIN)/python docs/generate.py

clean:
	rm -rf .venv

# Measurements: PHOTOS is a folder of labelled photos (benchmarks/labels.py says how it is laid out).
PHOTOS ?= ../shared/photos

bench-curate: .venv/installed-dev
	$(BIN)/python -m benchmarks.curate $(PHOTOS)
	$(BIN)/python -m benchmarks.clips

bench-screens: .venv/installed-dev
	$(BIN)/python -m benchmarks.screens $(PHOTOS)

soak: .venv/installed-dev
	$(BIN)/python -m benchmarks.soak

bench-train: .venv/installed-dev
	$(BIN)/python -m benchmarks.train

bench-card: .venv/installed-dev
	$(BIN)/python -m benchmarks.card

bench-scale: .venv/installed-dev
	$(BIN)/python -m benchmarks.scale --plot docs/pictures/scaling.svg $(PHOTOS)/large
