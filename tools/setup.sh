#!/bin/sh
# Creates .venv from the locked, hashed dependency set. uv does it in seconds; without uv, pip does it alone.
set -eu
PYTHON="${PYTHON:-python3}"
LOCK=requirements/dev.lock

"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "trailstate needs Python 3.11 or newer; '$PYTHON' is $("$PYTHON" --version 2>&1). Try: make PYTHON=python3.11 setup" >&2
    exit 1
}
[ -x .venv/bin/python ] || "$PYTHON" -m venv .venv
if .venv/bin/python -m uv --version >/dev/null 2>&1 ||
    .venv/bin/python -m pip install --quiet --disable-pip-version-check "$(sed -n 's/^uv==\([^ ]*\).*/uv==\1/p' $LOCK)" 2>/dev/null; then
    .venv/bin/python -m uv pip sync --quiet --python .venv/bin/python --require-hashes $LOCK
    .venv/bin/python -m uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
else
    echo "uv is not to be had here; installing with pip alone (slower)" >&2
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $LOCK
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
fi

# What runs in the sandbox cannot keep its bytecode there, and would compile it at each start: uv leaves that undone.
(cd "$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')" &&
    "$OLDPWD/.venv/bin/python" -m compileall -q -j 2 moto boto3 botocore s3transfer jmespath urllib3 dateutil \
        werkzeug flask jinja2 yaml requests >/dev/null) || true

# The simulated estate and, later, users' code run inside bubblewrap where it exists.
if [ "$(uname -s)" = Linux ] && ! command -v bwrap >/dev/null 2>&1; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        (apt-get install -y -qq bubblewrap || { apt-get update -qq && apt-get install -y -qq bubblewrap; }) >/dev/null 2>&1 || true
    fi
    command -v bwrap >/dev/null 2>&1 ||
        echo "bubblewrap is missing: the simulator runs with resource limits only, and users' code will be refused. Install it with your package manager." >&2
fi
