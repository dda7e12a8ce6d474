#!/usr/bin/env bash
# Lets schemathesis, a program that nobody here wrote, try the API of a server with requests of all kinds, right and wrong, and
# compare the answers with the description at /api/v1/openapi.json. Exits 0 when it finds nothing.
#
#   scripts/api.sh               builds the debug binary first; needs Python 3.10 and, the first time, pip's registry
#   PARLOUR=path scripts/api.sh  uses that binary
#   EXAMPLES=30 scripts/api.sh   so many requests of a kind for each address (the default)
#   SEED=1 scripts/api.sh        the same requests again; by default new ones
#
# Exits 3, with the reason, where schemathesis cannot be had.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
version=4.32.5

skip() { printf 'api: %s\n' "$*" >&2; exit 3; }
tools=${CARGO_TARGET_DIR:-$root/target}/schemathesis-$version
if [ ! -x "$tools/bin/st" ]; then
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || skip 'Python 3.10 or later is missing'
  python3 -m venv "$tools" || skip 'Python has no module venv: apt-get install python3-venv'
  "$tools/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$version" || { rm -rf "$tools"; skip 'pip cannot install schemathesis'; }
fi

# shellcheck source=scripts/clients-common.sh
. "$root/scripts/clients-common.sh"

more_config='[limits]
flood = false
[api]
enabled = true
[files]
enabled = true'
start_server
start_alice
for name in bob carol dave; do add_user "$name"; done
# What the examples in the description name is there.
alice '/join #builds'
await '#builds -- you joined' cat alice.out
for n in $(seq 150); do printf 'message %s of a build\n' "$n"; done | as alice send '#builds' 2> send.txt || { cat send.txt; exit 1; }
token=$("$PARLOUR" token create schemathesis --as alice --scope read 2> token.txt)

# The token goes through a file, because arguments are visible to other users.
cat > schemathesis.toml <<EOF
base-url = "https://127.0.0.1:$port"
tls-verify = "$home/certs/root.pem"

[checks.negative_data_rejection]
expected-statuses = ["400", "401", "403", "404", "405", "413", "429", "431", "5xx"]

[auth.openapi.token]
bearer = "$token"
EOF
"$tools/bin/st" --config-file schemathesis.toml --no-color run "https://127.0.0.1:$port/api/v1/openapi.json" \
  --checks all --max-examples "${EXAMPLES:-30}" ${SEED:+--seed "$SEED"}
