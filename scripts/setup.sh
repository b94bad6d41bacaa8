#!/bin/sh
# Makes .venv with every package pinned by hash. Each failure ends in one line that says what to do.
set -eu
PYTHON=${PYTHON:-python3}

fail() { echo "setup: $1" >&2; exit 1; }

command -v "$PYTHON" >/dev/null 2>&1 || fail "no $PYTHON here: install Python 3.11 or newer, or name one with 'make PYTHON=/path/to/python3 setup'"
"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$("$PYTHON" -V) is too old: outlast needs 3.11 or newer; name one with 'make PYTHON=python3.11 setup'"
"$PYTHON" -c 'import ensurepip, venv' 2>/dev/null ||
    fail "$PYTHON has no venv module: 'apt install python3-venv' on Debian and Ubuntu, then again"

[ -x .venv/bin/python ] || "$PYTHON" -m venv .venv || fail "could not make .venv here: remove it and look at the message above"
uv_pin=$(sed -n 's/^uv==\([^ ]*\).*/\1/p' requirements.lock)
.venv/bin/python -m pip install --quiet --disable-pip-version-check "uv==$uv_pin" ||
    fail "pip could not install uv: is a package index reachable? (PIP_INDEX_URL, HTTPS_PROXY)"
.venv/bin/uv pip sync --quiet --require-hashes --python .venv/bin/python requirements.lock ||
    fail "the pinned packages could not be installed: is a package index reachable? (UV_DEFAULT_INDEX, HTTPS_PROXY)"
.venv/bin/uv pip install --quiet --no-deps --no-build-isolation --python .venv/bin/python --editable . ||
    fail "outlast itself could not be installed into .venv"
touch .venv/.ready
