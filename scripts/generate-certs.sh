#!/bin/sh
# Makes the server's certificates in certs/, once. Arguments go to `parlour certs generate`:
#
#   scripts/generate-certs.sh [--name NAME]... [--force]
#
# PARLOUR=path uses that binary; without it the package is built, if need be.
set -eu
if [ -n "${PARLOUR:-}" ]; then PARLOUR=$(realpath -- "$PARLOUR"); fi
cd "$(dirname "$0")/.."

if [ -n "${PARLOUR:-}" ]; then
    exec "$PARLOUR" certs generate "$@"
fi
exec cargo run --quiet --release -- certs generate "$@"
