# Tools of CI and of releases, for scripts that source this: built once for a version and kept outside the clone.
# Unoptimised, because building takes longer than running.

# tool CRATE VERSION: sets $tool to the folder of its programs. Where it cannot be installed, sets $tool_error and fails.
tool() {
    local at="${CARGO_HOME:-$HOME/.cargo}/parlour-ci/$1-$2" log
    tool=$at/bin
    if [ -d "$tool" ]; then return; fi
    log=$(mktemp)
    if CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
        cargo install --quiet --locked --version "$2" --root "$at" "$1" 2>"$log"; then
        rm "$log"
    else
        cat "$log" >&2
        tool_error="$1 $2 cannot be installed: $(grep -m1 '^error' "$log" || tail -n 1 "$log")"
        rm "$log"
        return 1
    fi
}
