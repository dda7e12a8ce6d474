#!/bin/sh
# Makes the server's certificates in certs/, once. Arguments go to `parlour certs generate`:
#
#   scripts/generate-certs.sh [--name NAME]... [--force]
#
# PARLOUR is the absolute path of the binary to use; without it the package is built, if need be.
set -eu
cd "$(dirname "$0")/.."

if [ -n "${PARLOUR:-}" ]; then
    exec "$PARLOUR" certs generate "$@"
fi
exec cargo run --quiet --release -- certs generate "$@"
