# Needs make and Python 3.11 or newer; everything else goes into .venv.

ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif
VENV_PYTHON := $(BIN)/python

# The newest Python last: 3.11 is the oldest that is promised, so it is tried first. Override with make PYTHON=...
PYTHON ?= $(shell for candidate in python3.11 python3.12 python3.13 python3.14 python3 python; do \
	if $$candidate -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; \
	then echo $$candidate; break; fi; done)

PACKAGES := core layers optim io train backend-cpu
PROJECTS := pyproject.toml $(PACKAGES:%=packages/%/pyproject.toml)
STAMP := .venv/.installed

# One worker for each core. BLAS keeps to one thread in each, or the workers fight over the cores.
TEST_WORKERS ?= auto
PYTEST := OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(VENV_PYTHON) -m pytest -q -n $(TEST_WORKERS) --dist worksteal

.PHONY: help venv demo test test-long test-native check format bench bench-peers fuzz wheels version clean
.DEFAULT_GOAL := help

help:
	@echo "make demo       train on handwritten digits, save, restore, export to ONNX, draw report.png"
	@echo "make test       run the tests        (TESTS=tests/core for some of them)"
	@echo "make test-long  run the tests, and those that take minutes"
	@echo "make test-native  run all tests on the compiling CPU backend, where most take the reference"
	@echo "make check      ruff, mypy, import contracts, one version everywhere"
	@echo "make format     let ruff format and fix what it can"
	@echo "make bench      measure, beside the peers that are installed        (BENCH=\"--only mlp --rounds 1\", see docs/benchmarks.md)"
	@echo "make bench-peers   install the peers: PyTorch, JAX, TensorFlow, ONNX Runtime; 3 GB"
	@echo "make fuzz       fuzz the readers of files, guided by coverage, for ten minutes        (FUZZ_SECONDS=60 for one)"
	@echo "make wheels     build every distribution into dist/"
	@echo "make version    write the version of the file VERSION into every distribution"
	@echo "make clean      remove .venv and everything built"

venv: $(STAMP)

# setuptools goes in first, so that the editable installs build without fetching it once more for each package.
$(STAMP): $(PROJECTS)
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer with venv and ensurepip was found (on Debian: apt install python3-venv). Name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@test -x $(VENV_PYTHON) || { echo "Making .venv with $(PYTHON); this takes a minute, once."; $(PYTHON) -m venv .venv; }
	@$(VENV_PYTHON) -m pip install -q --disable-pip-version-check --upgrade "pip>=25.1" "setuptools>=77" wheel
	@$(VENV_PYTHON) -m pip install -q --disable-pip-version-check --no-build-isolation --group dev $(PACKAGES:%=-e packages/%)
	@touch $(STAMP)

demo: $(STAMP)
	@$(VENV_PYTHON) examples/digits.py

TESTS ?=
test: $(STAMP)
	@$(PYTEST) $(TESTS)

test-long: $(STAMP)
	@DOVETAIL_LONG_TESTS=1 $(PYTEST) $(TESTS)

test-native: $(STAMP)
	@DOVETAIL_NATIVE_TESTS=1 $(PYTEST) $(TESTS)

# Every tool has its say, then the first complaint counts.
check: $(STAMP)
	@failed=0; \
	$(VENV_PYTHON) tools/version.py --check || failed=1; \
	$(VENV_PYTHON) -m ruff check || failed=1; \
	$(VENV_PYTHON) -m ruff format --check || failed=1; \
	$(VENV_PYTHON) -m mypy || failed=1; \
	$(BIN)/lint-imports --no-logo || failed=1; \
	exit $$failed

format: $(STAMP)
	@$(VENV_PYTHON) -m ruff check --fix
	@$(VENV_PYTHON) -m ruff format

BENCH ?=
bench: $(STAMP)
	@$(VENV_PYTHON) -m benchmarks $(BENCH)

# Each peer has an environment of its own, as they disagree about what they need; one that cannot be had is left out.
PEERS ?= torch jax tensorflow onnxruntime
PEER_torch := torch numpy onnx setuptools
PEER_jax := jax
PEER_tensorflow := tensorflow-cpu
PEER_onnxruntime := onnxruntime
bench-peers: $(STAMP)
	@for peer in $(PEERS); do $(MAKE) -s .venv-peers/$$peer/.installed || echo "$$peer was not installed and is left out" >&2; done

.venv-peers/%/.installed:
	@echo "Installing $*; this takes minutes, once."
	@test -d $(@D) || $(VENV_PYTHON) -m venv $(@D)
	@$(@D)/$(notdir $(BIN))/python -m pip install -q --disable-pip-version-check $(PEER_$*)
	@touch $@

# Half of the time goes to graph files, which can hold the most; what is found lies in fuzz-out/.
FUZZ_SECONDS ?= 600
FUZZ_FIRST := graph
FUZZ_OTHERS := safetensors header npz checkpoint list bundle
fuzz: $(STAMP)
	@$(VENV_PYTHON) -m pip install -q --disable-pip-version-check --group fuzz
	@mkdir -p fuzz-out
	@PYTHONPATH=. $(VENV_PYTHON) tests/io/fuzz.py $(FUZZ_FIRST) --seconds $$(($(FUZZ_SECONDS) / 2))
	@for target in $(FUZZ_OTHERS); do \
		PYTHONPATH=. $(VENV_PYTHON) tests/io/fuzz.py $$target --seconds $$(($(FUZZ_SECONDS) / 12)) || exit 1; done

# Each wheel is built from its source distribution, so that it holds what is declared and no leftover of an older build.
wheels: $(STAMP)
	@rm -rf dist
	@for project in $(PACKAGES:%=packages/%) .; do \
		log=$$($(VENV_PYTHON) -m build --no-isolation --outdir dist $$project 2>&1) || { echo "$$log"; exit 1; }; done
	@ls -l dist

version:
	@$(PYTHON) tools/version.py

clean:
	rm -rf .venv dist build fuzz-out packages/*/build *.egg-info packages/*/src/*.egg-info
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
