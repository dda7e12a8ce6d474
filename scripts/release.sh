#!/usr/bin/env bash
# Makes the packages of a release in target/release-packages, with their SHA-256 checksums:
#
#   scripts/release.sh                    all of them
#   scripts/release.sh linux windows      only these
#
# OUT=folder puts them there. PARLOUR=path and PARLOUR_EXE=path take programs for Linux and for Windows that are built
# already. Each package is a function package_NAME that leaves its file in $out and is listed in $packages.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(linux windows)
out=${OUT:-$PWD/target/release-packages}
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
documents=(README.md CHANGELOG.md LICENSE-APACHE LICENSE-MIT)
# The time of the commit, so that the same commit gives the same archive.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH

fail() { printf 'release: %s\n' "$*" >&2; exit 1; }

# Standard output is for the folder of the packages.
exec 3>&1 >&2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The program for Linux, with manual pages and completion scripts, which it writes itself.
package_linux() {
    local name program folder
    if [ -z "${PARLOUR:-}" ]; then cargo build --locked --release; fi
    program=${PARLOUR:-${CARGO_TARGET_DIR:-target}/release/parlour}
    name=parlour-$version-linux-$(uname -m)
    folder=$work/$name
    mkdir -p "$folder/completions"
    install -m 755 "$program" "$folder/parlour"
    install -m 644 "${documents[@]}" "$folder"
    "$folder/parlour" man "$folder/man"
    "$folder/parlour" completions bash >"$folder/completions/parlour.bash"
    "$folder/parlour" completions zsh >"$folder/completions/_parlour"
    "$folder/parlour" completions fish >"$folder/completions/parlour.fish"
    tar --create --gzip --file "$out/$name.tar.gz" --directory "$work" --owner 0 --group 0 --numeric-owner \
        --sort name --mtime "@$SOURCE_DATE_EPOCH" "$name"
    # As somebody would use it.
    mkdir "$work/unpacked"
    tar --extract --gzip --file "$out/$name.tar.gz" --directory "$work/unpacked"
    "$work/unpacked/$name/parlour" --version | grep -F "$version"
    [ -s "$work/unpacked/$name/man/parlour-serve.1" ]
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

[ $# -gt 0 ] || set -- "${packages[@]}"
for package in "$@"; do
    [[ " ${packages[*]} " == *" $package "* ]] || fail "there is no package $package; there are ${packages[*]}"
done
mkdir -p "$out"
out=$(cd "$out" && pwd)
rm -f "$out"/parlour-* "$out/SHA256SUMS"
for package in "$@"; do
    printf 'release: %s\n' "$package"
    "package_$package"
done
(cd "$out" && sha256sum parlour-* >SHA256SUMS && sha256sum --check SHA256SUMS)
echo "$out" >&3
