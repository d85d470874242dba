#!/bin/sh
# Prints the directory with botocore's own protocol cases, those of the version that is installed; fetches them once, with
# its source distribution. Prints nothing where they cannot be had: the tests that need them then say so and are skipped.
set -eu
VERSION=$(.venv/bin/python -c 'import botocore; print(botocore.__version__)')
PLACE=.venv/protocol-cases-$VERSION
if [ ! -d "$PLACE" ]; then
    rm -rf .venv/protocol-cases*
    FETCHED=$(mktemp -d)
    trap 'rm -rf "$FETCHED"' EXIT
    .venv/bin/python -m pip download --quiet --disable-pip-version-check --timeout 10 --retries 0 --no-deps \
        --no-binary botocore --dest "$FETCHED" "botocore==$VERSION" >/dev/null 2>&1 &&
        tar -xzf "$FETCHED/botocore-$VERSION.tar.gz" -C "$FETCHED" "botocore-$VERSION/tests/unit/protocols" &&
        mv "$FETCHED/botocore-$VERSION/tests/unit/protocols" "$PLACE" || {
        echo "botocore's protocol cases are not to be had here; the tests that need them are skipped" >&2
        exit 0
    }
fi
echo "$PWD/$PLACE"
