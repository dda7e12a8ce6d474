#!/usr/bin/env bash
# Parlour for Windows, from Linux:
#
#   scripts/windows.sh check    compiles the program for Windows, without linking it
#   scripts/windows.sh build    builds parlour.exe and prints its path; PROFILE=release for one to hand out
#   scripts/windows.sh story [FILTER]...    builds, and runs unit tests and servers and clients of both systems under Wine
#   scripts/windows.sh tests [FILTER]...    only the unit tests of the story
#
# With filters, of the unit tests only those whose path has one of them.
#
# A warning of the compiler about Parlour fails all of them. PARLOUR=path and PARLOUR_EXE=path are programs for the
# story instead of target/debug/parlour and one that is built for it. scripts/release.sh packs the release.
#
# Compiles with rustup's target x86_64-pc-windows-gnu if it is installed; else with Debian's packages, which it installs when
# they are missing. Those have no standard library for Windows, so it is built from its source. Exits with 3 if there is no
# toolchain, or for the story no Wine, and none can be installed.
set -euo pipefail
if [ -n "${PARLOUR:-}" ]; then PARLOUR=$(realpath -- "$PARLOUR"); fi
if [ -n "${PARLOUR_EXE:-}" ]; then PARLOUR_EXE=$(realpath -- "$PARLOUR_EXE"); fi
cd "$(dirname "$0")/.."

mode=${1:-}
[ $# -eq 0 ] || shift
target=x86_64-pc-windows-gnu
profile=${PROFILE:-dev}
# A folder of its own: another compiler than that of the other builds would make them start anew.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}/windows
export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never}
# Nothing reads it under Wine, and it takes much of the time to link.
export CARGO_PROFILE_DEV_DEBUG=${CARGO_PROFILE_DEV_DEBUG:-0}

fail() { printf 'windows: %s\n' "$*" >&2; exit 1; }
unavailable() { printf 'windows: %s\n' "$*" >&2; exit 3; }

# Installs Debian's packages: install PROGRAM PACKAGE...
install_for() {
    local program=$1 sudo
    shift
    command -v "$program" >/dev/null && return
    command -v apt-get >/dev/null || unavailable "there is no $program, and no apt-get to install $*"
    sudo=$([ "$(id -u)" -eq 0 ] || echo sudo)
    $sudo apt-get update -qq >&2 || true
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "$@" >&2 \
        || unavailable "cannot install $*"
    command -v "$program" >/dev/null || unavailable "there is no $program in $*"
}

cargo=(cargo)
arguments=(--locked --target "$target")
toolchain() {
    install_for x86_64-w64-mingw32-g++ gcc-mingw-w64-x86-64 g++-mingw-w64-x86-64
    if ! rustup target list --installed 2>/dev/null | grep -qx "$target"; then
        install_for /usr/bin/cargo rustc-web cargo-web rust-web-src
        install_for /usr/bin/rustc rustc-web cargo-web rust-web-src
        cargo=(/usr/bin/cargo)
        # With the crate test also where nothing is tested, so that tests and program share the standard library.
        arguments+=(-Zbuild-std=std,panic_unwind,test)
        export RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc RUSTC_BOOTSTRAP=1
        unset RUSTUP_TOOLCHAIN
    fi
    export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER=x86_64-w64-mingw32-gcc
    export CC_x86_64_pc_windows_gnu=x86_64-w64-mingw32-gcc CXX_x86_64_pc_windows_gnu=x86_64-w64-mingw32-g++
    export AR_x86_64_pc_windows_gnu=x86_64-w64-mingw32-ar
}
run_cargo() { # COMMAND ARGUMENT...
    local command=$1 log status
    shift
    log=$(mktemp)
    # Standard output stays what it is; only the errors are looked at.
    { "${cargo[@]}" "$command" "${arguments[@]}" "$@" 2>&1 >&3 | tee "$log" >&2; } 3>&1 && status=0 || status=$?
    if grep -q '^warning: `parlour`' "$log"; then status=1; fi
    rm -f "$log"
    return "$status"
}

build_program() { # prints its path
    run_cargo build --bins --profile "$profile" >&2
    echo "$CARGO_TARGET_DIR/$target/$([ "$profile" = dev ] && echo debug || echo "$profile")/parlour.exe"
}

case $mode in
check)
    toolchain
    run_cargo check --lib --bins
    ;;
build)
    toolchain
    build_program
    ;;
tests)
    toolchain
    # shellcheck source=scripts/windows/wine.sh
    source scripts/windows/wine.sh
    unit_tests "$@"
    ;;
story)
    toolchain
    # shellcheck source=scripts/windows/wine.sh
    source scripts/windows/wine.sh
    unit_tests "$@"
    story
    ;;
*)
    fail "say check, build, tests or story"
    ;;
esac
