#!/usr/bin/env bash
# Makes the packages of a release in target/release-packages, with their SHA-256 checksums:
#
#   scripts/release.sh                    all of them
#   scripts/release.sh linux windows      only these
#
#   linux     a tarball of the program with manual pages and completion scripts
#   deb       for Debian and Ubuntu: the same, run as a service
#   rpm       for Fedora, RHEL, openSUSE: the same
#   windows   a zip of the program for Windows
#   sbom      the list of all crates in the program, in CycloneDX's format
#
# OUT=folder puts them there. MAINTAINER="NAME <ADDRESS>" names who publishes the package for Debian. FAST=1 compresses
# less, for a try. PARLOUR=path and PARLOUR_EXE=path take programs for Linux and for Windows that are built
# already. Without PARLOUR the program for Linux is built with a list of its crates in it (cargo-auditable), and static
# with musl where rustup has that target and the compiler is there (apt-get install musl-tools); else it needs the glibc of
# this machine or a later one. Each package is a function package_NAME that leaves its file in $out and is listed in
# $packages.
set -euo pipefail
if [ -n "${PARLOUR:-}" ]; then PARLOUR=$(realpath -- "$PARLOUR"); fi
if [ -n "${PARLOUR_EXE:-}" ]; then PARLOUR_EXE=$(realpath -- "$PARLOUR_EXE"); fi
cd "$(dirname "$0")/.."
source scripts/tool.sh

packages=(linux deb rpm windows sbom)
out=${OUT:-$PWD/target/release-packages}
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
documents=(README.md CHANGELOG.md LICENSE-APACHE LICENSE-MIT)
# The time of the commit, so that the same commit gives the same archive.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH

fail() { printf 'release: %s\n' "$*" >&2; exit 1; }
need() { tool "$@" || fail "$tool_error"; }

# Standard output is for the folder of the packages.
exec 3>&1 >&2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Builds the program for Linux and sets $program.
build() {
    local musl
    # Kernels for ARM have pages of 4, 16 or 64 KiB, and jemalloc ends where they are larger than it was built for.
    if [ "$(uname -m)" = aarch64 ]; then export JEMALLOC_SYS_WITH_LG_PAGE=16; fi
    musl=$(uname -m)-unknown-linux-musl
    need cargo-auditable 0.7.7
    if { rustup target list --installed | grep -qx "$musl" || rustup target add "$musl"; } 2>/dev/null &&
        command -v musl-gcc >/dev/null; then
        echo "release: a static program with musl"
        env "CC_${musl//-/_}=musl-gcc" "$tool/cargo-auditable" auditable build --locked --release --target "$musl"
        program=${CARGO_TARGET_DIR:-target}/$musl/release/parlour
    else
        echo "release: a program for glibc, because there is no target $musl or no musl-gcc"
        "$tool/cargo-auditable" auditable build --locked --release
        program=${CARGO_TARGET_DIR:-target}/release/parlour
    fi
}

# Puts what the packages for Linux have in common into target/package, once: the program, and what it writes itself.
stage() {
    stage=target/package
    if [ -n "${staged:-}" ]; then return; fi
    staged=1
    program=${PARLOUR:-}
    [ -n "$program" ] || build
    rm -rf "$stage"
    mkdir -p "$stage/completions" "$stage/home"
    install -m 755 "$program" "$stage/parlour"
    # What cargo-auditable adds is not debug information and stays.
    strip "$stage/parlour"
    gzip --best --no-name <CHANGELOG.md >"$stage/CHANGELOG.md.gz"
    "$stage/parlour" man "$stage/man"
    mkdir "$stage/man.gz"
    for page in "$stage"/man/*.1; do gzip --best --no-name <"$page" >"$stage/man.gz/${page##*/}.gz"; done
    "$stage/parlour" completions bash >"$stage/completions/parlour.bash"
    "$stage/parlour" completions zsh >"$stage/completions/_parlour"
    "$stage/parlour" completions fish >"$stage/completions/parlour.fish"
}

package_linux() {
    local name folder
    stage
    name=parlour-$version-linux-$(uname -m)
    folder=$work/$name
    mkdir -p "$folder"
    cp -r "$stage"/{parlour,man,completions} "$folder"
    install -m 644 "${documents[@]}" "$folder"
    install -m 644 -D --target-directory "$folder/systemd" packaging/parlour.{service,socket,sysusers,toml}
    tar --create --gzip --file "$out/$name.tar.gz" --directory "$work" --owner 0 --group 0 --numeric-owner \
        --sort name --mtime "@$SOURCE_DATE_EPOCH" "$name"
    # As somebody would use it.
    mkdir "$work/unpacked"
    tar --extract --gzip --file "$out/$name.tar.gz" --directory "$work/unpacked"
    "$work/unpacked/$name/parlour" --version | grep -F "$version"
    [ -s "$work/unpacked/$name/man/parlour-serve.1" ]
}

package_deb() {
    local date maintainer
    stage
    need cargo-deb 3.8.0
    # Debian's own form, with one entry: what changed is in the other changelog.
    date=$(date --utc --rfc-email --date "@$SOURCE_DATE_EPOCH")
    maintainer=${MAINTAINER:-$(sed -n '/^\[package.metadata.deb\]/,/^\[/s/^maintainer = "\(.*\)"/\1/p' Cargo.toml)}
    printf 'parlour (%s-1) unstable; urgency=medium\n\n  * Release %s: see CHANGELOG.md.\n\n -- %s  %s\n' \
        "$version" "$version" "$maintainer" "$date" >"$stage/changelog"
    "$tool/cargo-deb" deb --no-build --no-strip --maintainer "$maintainer" --output "$out/" ${FAST:+--fast}
    lint_deb "$out"/parlour_*.deb
}

# Debian's rules for packages, where their checker is installed.
lint_deb() {
    if command -v lintian >/dev/null; then
        lintian --fail-on error,warning --tag-display-limit 0 --allow-root "$@"
    else
        echo "release: not checked with lintian, which is missing (apt-get install lintian)"
    fi
}

package_rpm() {
    stage
    need cargo-generate-rpm 0.21.1
    "$tool/cargo-generate-rpm" generate-rpm --output "$out/" ${FAST:+--payload-compress gzip}
}

# The program for Windows, built under Linux.
package_windows() {
    local name program folder
    program=${PARLOUR_EXE:-$(PROFILE=release scripts/windows.sh build)}
    name=parlour-$version-windows-x86_64
    folder=$work/$name
    mkdir "$folder"
    install -m 755 "$program" "$folder/parlour.exe"
    install -m 644 "${documents[@]}" docs/windows.md "$folder"
    # Texts with the line ends and, for the licences, the names that Windows opens in its editor.
    mv "$folder/LICENSE-APACHE" "$folder/LICENSE-APACHE.txt"
    mv "$folder/LICENSE-MIT" "$folder/LICENSE-MIT.txt"
    sed -i 's/$/\r/' "$folder"/*.md "$folder"/*.txt
    find "$folder" -exec touch --date "@$SOURCE_DATE_EPOCH" {} +
    command -v zip >/dev/null || fail "zip is missing: apt-get install zip"
    (cd "$work" && find "$name" | LC_ALL=C sort | TZ=UTC zip --quiet -X "$out/$name.zip" -@)
}

package_sbom() {
    need cargo-cyclonedx 0.5.9
    "$tool/cargo-cyclonedx" cyclonedx --format json --override-filename "parlour-$version.cdx"
    mv "parlour-$version.cdx.json" "$out/"
    # It must list what the program really has.
    grep -q '"rustls"' "$out/parlour-$version.cdx.json"
}

[ $# -gt 0 ] || set -- "${packages[@]}"
for package in "$@"; do
    [[ " ${packages[*]} " == *" $package "* ]] || fail "there is no package $package; there are ${packages[*]}"
done
mkdir -p "$out"
out=$(cd "$out" && pwd)
rm -f "$out"/parlour[-_]* "$out/SHA256SUMS"
for package in "$@"; do
    printf 'release: %s\n' "$package"
    "package_$package"
done
(cd "$out" && sha256sum parlour[-_]* >SHA256SUMS && sha256sum --check SHA256SUMS)
echo "$out" >&3
