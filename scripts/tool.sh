# Tools of CI and of releases, for scripts that source this: built once for a version and kept outside the clone.
# Unoptimised, because building takes longer than running.

# tool CRATE VERSION [OPTION…]: sets $tool to the folder of its programs; options are those of cargo install. Where it cannot
# be installed, sets $tool_error and fails.
tool() {
    local crate=$1 version=$2 log
    local at="${CARGO_HOME:-$HOME/.cargo}/parlour-ci/$crate-$version"
    shift 2
    tool=$at/bin
    if [ -d "$tool" ]; then return; fi
    log=$(mktemp)
    if CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
        cargo install --quiet --locked --version "$version" --root "$at" "$@" "$crate" 2>"$log"; then
        rm "$log"
    else
        cat "$log" >&2
        tool_error="$crate $version cannot be installed: $(grep -m1 '^error' "$log" || tail -n 1 "$log")"
        rm "$log"
        return 1
    fi
}

# wheel PACKAGE VERSION: the same for a program that PyPI has compiled.
wheel() {
    local package=$1 version=$2 log
    local at="${CARGO_HOME:-$HOME/.cargo}/parlour-ci/$package-wheel-$version"
    tool=$at/bin
    if [ -e "$at/.installed" ]; then return; fi
    log=$(mktemp)
    rm -rf "$at"
    if python3 -m venv "$at" >"$log" 2>&1 \
        && "$at/bin/pip" install --quiet --no-deps --only-binary :all: "$package==$version" >>"$log" 2>&1; then
        touch "$at/.installed"
        rm "$log"
    else
        cat "$log" >&2
        tool_error="$package $version cannot be installed: $(tail -n 1 "$log")"
        rm "$log"
        return 1
    fi
}
