#!/usr/bin/env bash
# Checks the page in web/: its types, its lint, the tests of its modules in Node.js, and the tests in Chromium, with real
# servers where there is a binary.
#
#   scripts/web.sh                   builds the debug binary first; needs node, npm and Chromium
#   PARLOUR=path scripts/web.sh      uses that binary
#   CHROMIUM=path scripts/web.sh     uses that browser instead of /usr/bin/chromium
#   PICTURES=folder scripts/web.sh   leaves pictures of the page at phone and desktop size, light and dark, there
#   scripts/web.sh FILE…             runs only these test files, such as tests/web/browser/layout.test.js
#
# Without node or npm it says that it skipped everything; without Chromium, which tests it skipped. Where CI is set, or
# PARLOUR_TESTS_REQUIRE=all, it fails instead.
set -euo pipefail
# shellcheck source=scripts/program.sh
. "$(dirname "$0")/program.sh"
cd "$(dirname "$0")/.."

skip() {
  printf 'skipped: web: %s\n' "$*" >&2
  if [ "${PARLOUR_TESTS_REQUIRE:-}" = all ] || { [ -n "${CI:-}" ] && [ "${PARLOUR_TESTS_REQUIRE:-}" != none ]; }; then exit 1; fi
}

for tool in node npm; do
  if ! command -v "$tool" >/dev/null; then skip "$tool is missing: apt-get install nodejs npm"; exit 0; fi
done
if [ "$(node -p 'Number(process.versions.node.split(".")[0]) >= 20')" != true ]; then skip "node $(node --version) is older than 20"; exit 0; fi
[ -x "${CHROMIUM:-/usr/bin/chromium}" ] || skip "no Chromium at ${CHROMIUM:-/usr/bin/chromium}: apt-get install chromium"

# The tools of package-lock.json, once for each state of it.
if ! cmp -s tests/web/package-lock.json tests/web/node_modules/.installed; then
  npm ci --prefix tests/web --no-audit --no-fund --ignore-scripts >/dev/null
  cp tests/web/package-lock.json tests/web/node_modules/.installed
fi

echo '== types'
tests/web/node_modules/.bin/tsc -p tests/web
echo '== lint'
tests/web/node_modules/.bin/eslint -c tests/web/eslint.config.js --max-warnings 0 web tests/web


echo '== tests'
# One file at a time: servers and browsers side by side only slow each other down.
if [ $# -gt 0 ]; then tests=("$@"); else mapfile -t tests < <(find tests/web -name node_modules -prune -o -name '*.test.js' -print | sort); fi
node --test --test-concurrency=1 --test-reporter=spec "${tests[@]}"
