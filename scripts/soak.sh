#!/usr/bin/env bash
# Load, attacks and faults together against one server on loopback, with an independent checker of what it kept:
#
#   scripts/soak.sh [MINUTES]            ten minutes where nothing is said; prints a table
#   PROFILE=dev scripts/soak.sh 2        with an unoptimised server, which builds faster
#   scripts/soak.sh 5 --only account     only the phases whose name contains a word
#
# Exits with 0 when everything that was confirmed is in the history, once and in order, and the server ended only where
# it was made to; with --strict also only where the limits of docs/reliability.md hold.
set -euo pipefail
cd "$(dirname "$0")/.."

minutes=10
if [[ "${1:-}" =~ ^[0-9.]+$ ]]; then minutes=$1; shift; fi
ulimit -n "$(ulimit -Hn)"
exec cargo bench --quiet --profile "${PROFILE:-bench}" --bench soak -- --minutes "$minutes" "$@"
