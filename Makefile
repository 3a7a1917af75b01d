# make run        everything on this machine: http://localhost:8080 (PORT=… for another port)
# make test       all tests but the slow ones; make test-slow: kills, fuzz, load
# make test-chatterbox  Chatterbox's engines on tiny random weights, in an environment of its own (1.8 GB)
# make lint       style, types, import rules, migrations, Dockerfiles
# make bench      speed of the platform; make bench-worker: of the speech worker alone
# make bench-proxy what the platform adds to a request, beside other gateways, and as its data grows
# make bench-chatterbox Chatterbox's engine beside upstream's, full size, random weights (about half an hour)
# make bench-deployments how fast deployments come, wake and grow, and how many can be looked after (5 minutes)
# make bench-webhooks how soon events arrive, how many at once, and what looking for them costs (3 minutes)
# make bench-quality what the checks of recordings catch, and what they cost; SPEECH_DIR=… for recordings of your own
# make bench-text how well English is made speakable; ARGS=--misses shows what is not right
# make clean      removes what the above have made, the virtual environment excepted

PYTHON ?= python3
ARGS ?=

VENV := .venv
PY := $(VENV)/bin/python
STAMPS := $(VENV)/stamps
RUN_PINS := requirements/base.txt requirements/worker-cpu.txt requirements/embedded.txt requirements/quality.txt
DOCKERFILES := $(wildcard Dockerfile gpu_worker/Dockerfile deploy/*/Dockerfile)
TEST_ENV := VOICEFLOW_ENV=test

# Without compiled modules every process spends seconds on compiling them anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test test-slow test-chatterbox lint fmt bench bench-proxy bench-worker bench-chatterbox bench-deployments bench-webhooks bench-quality bench-text pins clean

help:
	@sed -n 's/^# //p' Makefile

# ---- the virtual environment: made once, touched again only when the pins change -------------------
$(STAMPS)/venv:
	@command -v $(PYTHON) >/dev/null || { echo "VoiceFlow needs Python 3.11 or newer: apt-get install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "VoiceFlow needs Python 3.11 or newer, $(PYTHON) is older: apt-get install python3.11 python3.11-venv, then make PYTHON=python3.11 …"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "Python's venv module is missing: apt-get install python3-venv"; exit 1; }
	@echo "Making the virtual environment $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/run: $(STAMPS)/venv $(RUN_PINS)
	@$(PY) requirements/install.py base.txt worker-cpu.txt embedded.txt quality.txt
	@touch $@

# dev.txt holds the pins of the others, too.
$(STAMPS)/dev: $(STAMPS)/venv requirements/dev.txt
	@$(PY) requirements/install.py dev.txt
	@touch $@ $(STAMPS)/run

# ---- what people type --------------------------------------------------------------------------------
run: $(STAMPS)/run
	@$(PY) -m voiceflow.run --owned

test: $(STAMPS)/dev
	$(PY) -m pytest -n 2 --dist loadfile -m "not slow and not chatterbox" $(ARGS)

# Half of what they do is wait: for starts, for kills, for deadlines.
test-slow: $(STAMPS)/dev
	$(PY) -m pytest -n 3 --dist loadfile -m slow $(ARGS)

test-chatterbox: $(STAMPS)/dev
	@python=$$($(PYTHON) requirements/chatterbox_env.py) || exit 1; \
		exec $$python -m pytest -c tests/chatterbox/pytest.ini --rootdir . -n 2 --dist loadfile $(ARGS)
	$(PY) -m pytest -m chatterbox tests/deployments

lint: $(STAMPS)/dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(TEST_ENV) $(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(TEST_ENV) LOG_LEVEL=ERROR $(PY) -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	$(if $(DOCKERFILES),$(VENV)/bin/hadolint $(DOCKERFILES))
	bash -n .ci/run

fmt: $(STAMPS)/dev
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

bench: $(STAMPS)/dev
	$(PY) -m bench.platform $(ARGS)

bench-proxy: $(STAMPS)/dev
	$(PY) -m bench.proxy $(ARGS)

bench-worker: $(STAMPS)/dev
	$(PY) -m bench.worker $(ARGS)

bench-chatterbox:
	@python=$$($(PYTHON) requirements/chatterbox_env.py) || exit 1; exec $$python -W ignore -m bench.chatterbox $(ARGS)

bench-deployments: $(STAMPS)/dev
	$(PY) -m bench.deployments $(ARGS)

bench-webhooks: $(STAMPS)/dev
	$(PY) -m bench.webhooks $(ARGS)

bench-quality: $(STAMPS)/dev
	$(PY) -m bench.quality $(ARGS)

bench-text: $(STAMPS)/dev
	$(PY) -m bench.text $(ARGS)

# dev.in holds all the others: it is solved first, and they follow it. The result serves every Python
# from 3.11 on and every system, by markers. pyproject.toml names what is left out; the GPU worker needs it.
UV_COMPILE := $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --no-annotate \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make pins" --upgrade
pins: $(STAMPS)/dev
	$(UV_COMPILE) requirements/dev.in -o requirements/dev.txt
	for name in base worker-cpu embedded quality; do \
		$(UV_COMPILE) requirements/$$name.in -c requirements/dev.txt -o requirements/$$name.txt || exit 1; \
	done
	$(VENV)/bin/uv pip compile --no-config --quiet --python-version 3.11 --python-platform x86_64-manylinux_2_28 \
		--no-annotate --no-emit-index-url --no-emit-find-links --custom-compile-command "make pins" --upgrade \
		--no-emit-package gradio --no-emit-package gradio-client \
		requirements/worker-gpu.in -o requirements/worker-gpu.txt

clean:
	@$(PYTHON) -m apps.core.embedded.clean var
	@rm -rf build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
