# Critiql. `make ask Q="..."` answers a question, `make test` runs the tests; each works alone on a fresh machine.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
Q ?= Which five customers spent the most?
MODEL ?= qwen2.5-coder-1.5b-instruct
FUZZ_MINUTES ?= 10
NEWEST ?= python3.12
CLUSTER_VENV ?= .venv-cluster
CLUSTER_PYTHON ?= $(firstword $(foreach python,python3.12 $(wildcard $(HOME)/.pyenv/versions/3.12*/bin/python3.12),\
  $(shell $(python) -c "print('$(python)')" 2>/dev/null)))
CLUSTER_OPTIONS ?=
NO_CLUSTER_PYTHON := there is no Python 3.12 here (set CLUSTER_PYTHON)
TEST_MODELS := smollm2-135m-instruct qwen2.5-coder-0.5b-instruct qwen2.5-coder-1.5b-instruct

# Only the library itself: no examples, tools, tests, server, or vision parts. 3 minutes on two cores instead of 9.
LLAMA_PARTS := -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_TOOLS=OFF -DLLAMA_BUILD_SERVER=OFF \
  -DLLAMA_CURL=OFF -DLLAMA_OPENSSL=OFF -DLLAVA_BUILD=OFF -DMTMD_BUILD=OFF

.PHONY: help ask test check check-all check-newest lint types unit integration lora gpu-parcels fuzz page page-check page-pictures picture cluster \
  cluster-check studio clean

help: ## This list.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

ask: $(VENV)/.installed ## Answer Q on the sample database with the embedded model.
	@$(BIN)/critiql models pull $(MODEL)
	@$(BIN)/critiql ask "$(Q)" --model $(MODEL)

test: unit integration ## All tests that need no more than this machine.

# Without bytecode on disk, each process of the tests compiles the sources anew.
unit: export PYTHONDONTWRITEBYTECODE =
unit: $(VENV)/.installed-dev ## The quick tests: no model, no socket, nothing killed, no generated input, no benchmark, no whole evaluation.
	$(BIN)/pytest -q -n auto

integration: $(VENV)/.installed-dev ## Tests with generated input, the benchmark's data, whole evaluations, processes that are killed, real models and real servers on loopback.
	@for model in $(TEST_MODELS); do $(BIN)/critiql models pull $$model || exit 1; done
	$(BIN)/pytest -q -n auto -m "(process or fuzz or data or whole) and not (model or server or slow)"
	$(BIN)/pytest -q -m "(model or server) and not slow" --ignore-glob="*mysql*"

lint: $(VENV)/.installed-dev ## Style.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev ## Types, by two checkers.
	$(BIN)/mypy
	$(BIN)/mypy deploy/*.py
	$(BIN)/pyright

check: lint types test page-check cluster-check ## What the gate runs.

check-all: check lora ## What takes longer: soak, kills, bombs, MariaDB, the default model, the data, LoRA, fuzzing.
	$(BIN)/pytest -q -m "slow or data" $(LORA_TESTS:%=--ignore=%)
	$(BIN)/pytest -q -m server tests/attacks/test_mysql.py tests/tools/database/mysql/test_open.py
	$(BIN)/python tests/fuzz.py 3

check-newest: ## The quick tests on another Python (NEWEST) with the newest LangChain and LangGraph, in a place of its own.
	$(NEWEST) -m venv build/newest
	build/newest/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	CMAKE_ARGS="$(LLAMA_PARTS)" CMAKE_BUILD_PARALLEL_LEVEL=$$(nproc) build/newest/bin/python -m pip install --quiet --upgrade \
	  --group dev --editable ".[checkpoints,postgres,duckdb,mysql,sqlalchemy,langchain,evals,train,studio,serve]"
	@build/newest/bin/python -m pip list --format=freeze | grep -E "^(langchain|langgraph|pydantic)"
	build/newest/bin/python -m pytest -q -n auto -p no:cacheprovider

LORA_TESTS := tests/training/adapters tests/training/parcels

lora: $(VENV)/.installed-dev ## Install torch and its kin (gigabytes), and take a tiny adapter from data to llama.cpp.
	$(PIP) install --constraint constraints.txt --editable ".[train,lora]"
	$(BIN)/pytest -q -m slow $(LORA_TESTS)

gpu-parcels: $(VENV)/.installed-dev ## Training sets (DATA="a.jsonl b.jsonl") and the model in pieces, for a GPU without a network.
	@$(BIN)/python -c "import peft" 2>/dev/null || $(PIP) install --constraint constraints.txt --editable ".[train,lora]"
	$(BIN)/critiql train pack --model $(MODEL) $(DATA:%=--data %) --out build/parcels
	$(PIP) download --quiet --no-deps --dest build/parcels gguf

fuzz: $(VENV)/.installed-dev ## Try the properties with new input for FUZZ_MINUTES minutes.
	$(BIN)/python tests/fuzz.py $(FUZZ_MINUTES)

page: $(VENV)/.installed ## Build the page in web/ into server/page (needs Node 20), with types from the events' schema.
	$(BIN)/critiql events --schema > web/events.schema.json
	cd web && npm ci --ignore-scripts --no-audit --no-fund && npm run types && npm run build

page-check: $(VENV)/.installed-dev ## Build the page anew and compare it with server/page.
	@if command -v npm >/dev/null; then \
	  (cd web && npm ci --ignore-scripts --no-audit --no-fund) && $(BIN)/pytest -q -m slow tests/web/test_build.py; \
	else echo "page-check: skipped, there is no npm on this machine"; fi

picture: $(VENV)/.installed-dev ## Draw the picture of a run in README.md anew, from a real run, and the charts of the results.
	$(BIN)/python docs/scripts/terminal.py docs/images/terminal.svg "$(Q)"
	$(BIN)/python docs/scripts/charts.py docs/images

page-pictures: $(VENV)/.installed-dev ## Take the pictures of the page in docs/ anew, from a real server (needs Chromium).
	$(BIN)/critiql models pull $(MODEL)
	$(BIN)/python docs/scripts/page.py docs/images $(MODEL)

cluster: ## PostgreSQL, Redis, two instances and a model server on loopback, until Ctrl-C (needs Python 3.12).
	@if [ -z "$(CLUSTER_PYTHON)" ]; then echo "cluster: $(NO_CLUSTER_PYTHON)"; exit 0; fi; \
	$(MAKE) --no-print-directory $(CLUSTER_VENV)/.installed && $(CLUSTER_VENV)/bin/critiql models pull $(MODEL) && \
	exec $(CLUSTER_VENV)/bin/python deploy/cluster.py --model $(MODEL) $(CLUSTER_OPTIONS)

cluster-check: $(VENV)/.installed-dev ## Kill an instance of a cluster in the middle, and resume on another (needs Python 3.12).
	@if [ -z "$(CLUSTER_PYTHON)" ]; then echo "cluster-check: skipped, $(NO_CLUSTER_PYTHON)"; exit 0; fi; \
	$(MAKE) --no-print-directory $(CLUSTER_VENV)/.installed && $(BIN)/pytest -q -rs -m slow tests/deploy

studio: $(VENV)/.installed-dev ## Serve every graph for LangGraph Studio, on loopback.
	$(BIN)/langgraph dev --no-browser --allow-blocking

clean: ## Remove the virtual environment and caches; pulled models stay.
	rm -rf $(VENV) $(CLUSTER_VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .langgraph_api build *.egg-info

$(VENV)/.installed: pyproject.toml constraints.txt
	@echo "Setting up $(VENV): a few minutes the first time, most of them for building llama.cpp."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) install --quiet --upgrade "pip>=25.1"
	CMAKE_ARGS="$(LLAMA_PARTS)" CMAKE_BUILD_PARALLEL_LEVEL=$$(nproc) $(PIP) install --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP) install --constraint constraints.txt --group dev --editable ".[checkpoints,postgres,duckdb,mysql,sqlalchemy,langchain,evals,train,studio,serve,otel]"
	@touch $@

# Models are asked over HTTP there, so llama-cpp-python is left out; see deploy/requirements.txt.
$(CLUSTER_VENV)/.installed: pyproject.toml constraints.txt deploy/requirements.txt
	@test -x $(CLUSTER_VENV)/bin/python || $(CLUSTER_PYTHON) -m venv $(CLUSTER_VENV)
	@$(CLUSTER_VENV)/bin/python -m pip --disable-pip-version-check install --quiet --upgrade "pip>=25.1"
	$(CLUSTER_VENV)/bin/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt --requirement deploy/requirements.txt
	$(CLUSTER_VENV)/bin/python -m pip --disable-pip-version-check install --quiet --no-deps --editable .
	@touch $@
