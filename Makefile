# make report | make test | make bench | make lock: everything happens inside .venv.
PYTHON ?= python3
STUDY ?= data/jining_2021
BIN := .venv/bin
READY := .venv/ready

# Some containers forbid bytecode files; without them every start compiles every import.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: report test bench coverage api messages lock clean

report: $(READY)
	@$(BIN)/evaluation report $(STUDY)

test: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest

# uv is itself pinned and hashed in requirements.lock. It does not read pip's settings, so a
# mirror set there is handed on; where uv fails, pip installs the same pinned files.
$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; try make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > .venv/uv.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.txt
	export VIRTUAL_ENV=.venv UV_DEFAULT_INDEX="$${UV_DEFAULT_INDEX:-$$($(BIN)/pip config get global.index-url 2>/dev/null)}"; \
	[ -n "$$UV_DEFAULT_INDEX" ] || unset UV_DEFAULT_INDEX; \
	$(BIN)/uv pip sync --quiet --require-hashes requirements.lock \
	|| $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

# Ratios to named peers, and memory; see tests/benchmarks/README.md.
bench: $(READY)
	$(BIN)/python -m tests.benchmarks.bench_panel
	$(BIN)/python -m tests.benchmarks.bench_gains
	$(BIN)/python -m tests.benchmarks.bench_gains --scale
	$(BIN)/python -m tests.benchmarks.bench_effects
	$(BIN)/python -m tests.benchmarks.bench_stream --rows 100000000 --workers 2
	$(BIN)/python -m tests.benchmarks.bench_stream --scale
	$(BIN)/python -m tests.benchmarks.bench_sweep

# How often intervals cover the truth in invented panels: tests/recovery/*coverage.csv.
coverage: $(READY)
	$(BIN)/python -m tests.recovery.coverage
	$(BIN)/python -m tests.recovery.effects_coverage

# One page of the public functions, from their docstrings.
api: $(READY)
	@$(BIN)/python docs/api.py build/api

# What a reader is told, out of code and notebooks into the catalogue, and the catalogue compiled.
messages: $(READY)
	@$(BIN)/python -m tests.catalogue

# For every platform and Python from 3.11 on; versions and hashes, no addresses.
lock: $(READY)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --extra dev \
		--generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links \
		--custom-compile-command "make lock" --upgrade pyproject.toml -o requirements.lock

clean:
	rm -rf .venv reports build dist
