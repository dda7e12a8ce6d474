# shellcheck shell=bash
# Scripts that run parlour source this before they change the folder. Makes PARLOUR, a path of the program that is given to
# them, an absolute one; where none is given, builds the debug program and takes that.

if [ -n "${PARLOUR:-}" ]; then
  PARLOUR=$(realpath -- "$PARLOUR")
else
  PARLOUR=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && cargo build --quiet \
    && cargo metadata --format-version 1 --no-deps | grep -o '"target_directory":"[^"]*"' | cut -d'"' -f4)/debug/parlour
fi
[ -x "$PARLOUR" ] || { printf 'there is no program at %s\n' "$PARLOUR" >&2; exit 1; }
export PARLOUR
