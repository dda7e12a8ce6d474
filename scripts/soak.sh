#!/usr/bin/env bash
# Load, attacks and faults together against one server on loopback, with an independent checker of what it stored:
#
#   scripts/soak.sh [MINUTES]            ten minutes by default; prints a table
#   PROFILE=dev scripts/soak.sh 2        with an unoptimised server, which builds faster
#   scripts/soak.sh 5 --only account     only the phases whose name contains a word
#   scripts/soak.sh storm                many logins at one moment instead; --cgroup FOLDER puts the server into that group
#   scripts/soak.sh 5 --server PROGRAM   another build of the server
#
# Exits with 0 when everything that was confirmed is in the history, once and in order, the server ended only where it was
# made to, logins succeeded and the memory stayed within bounds: none of that depends on the speed of the machine. With
# --strict also only where the echo and logins stay within the limits of docs/reliability.md beside each attack.
set -euo pipefail
cd "$(dirname "$0")/.."

what=()
if [[ "${1:-}" =~ ^[0-9.]+$ ]]; then
    what=(--minutes "$1")
    shift
fi
ulimit -n "$(ulimit -Hn)"
exec cargo bench --quiet --profile "${PROFILE:-bench}" --bench soak -- ${what[@]+"${what[@]}"} "$@"
