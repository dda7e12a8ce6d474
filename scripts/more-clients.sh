#!/usr/bin/env bash
# More real clients, installed through the package registries' clients into a temporary folder: irc-framework (npm; the
# library of The Lounge), pydle (PyPI) and catgirl (Debian). Each logs in by SASL PLAIN, with the server's certificate
# checked against certs/root.pem under the name localhost, talks with `parlour chat --plain` both ways and does what it
# knows: history, echo, tags, MONITOR, WHOX, coming back. Prints what each saw; exits 0 when all was as it should be.
#
#   scripts/more-clients.sh               builds the debug binary first; needs the network for the packages alone
#   PARLOUR=path scripts/more-clients.sh  uses that binary
set -euo pipefail
# shellcheck source=scripts/clients-common.sh
. "$(dirname "$0")/clients-common.sh"
checks=$(cd "$(dirname "$0")/clients" && pwd)

install node nodejs
install npm npm
install python3 python3-venv
start_tmux
install catgirl catgirl
npm install --silent --no-audit --no-fund --prefix "$home" irc-framework > "$home/npm.log" 2>&1 || { cat "$home/npm.log" >&2; fail 'npm cannot install irc-framework'; }
python3 -m venv "$home/python"
"$home/python/bin/pip" install --quiet 'pydle[sasl]'

start_server
start_alice
for name in ines ingo paul cate; do add_user "$name"; done
root_pem=$home/certs/root.pem

# library NAME COMMAND...: runs the checks of a library, which says hello to alice and waits for her answer.
library() {
  local name=$1 checked=$!
  shift
  timeout 120 "$@" &
  checked=$!
  pids+=("$checked")
  alice_saw "hears $name" "hello from $name"
  alice "hello $name"
  wait "$checked" || no "$name" 'its checks' 'see above'
}

printf '\n== irc-framework %s\n' "$(npm ls --prefix "$home" irc-framework | sed -n 's/.*irc-framework@//p')"
NODE_PATH=$home/node_modules NODE_EXTRA_CA_CERTS=$root_pem library irc-framework node "$checks/irc-framework.js" "$port"

printf '\n== pydle %s\n' "$("$home/python/bin/pip" show pydle | sed -n 's/^Version: //p')"
SSL_CERT_FILE=$root_pem library pydle "$home/python/bin/python" "$checks/pydle-client.py" "$port"

printf '\n== catgirl %s\n' "$(dpkg-query -W -f '${Version}' catgirl)"
start_catgirl() {
  tmux_ new-session -d -s "$1" -x 150 -y 60 "SSL_CERT_FILE='$2' exec catgirl -v -h localhost -p $port \
    -a 'cate:cate secret' -n cate -j '#lobby' 2> '$home/$1.raw'"
}
catgirl() { tmux_ send-keys -t cate -l "$1" \; send-keys -t cate Enter; }
screen() { tmux_ capture-pane -p -t cate; }
# saw CHECK PATTERN [COMMAND...]: on the screen, or in what the command prints.
saw() {
  local what=$1 pattern=$2 line
  shift 2
  [ $# -gt 0 ] || set -- screen
  if line=$(seen 20 "$pattern" "$@"); then ok catgirl "$what" "$line"; else no catgirl "$what" "expected «$pattern»"; "$@" | tail -n 30; fi
}
start_catgirl stranger /dev/null
saw 'without the root it stays out' 'certificate verification failed\|handshake failed' cat stranger.raw
start_catgirl cate "$root_pem"
saw 'SASL PLAIN over verified TLS' ' 903 ' cat cate.raw
saw 'capabilities' 'CAP REQ' cat cate.raw
saw 'join' 'cate.*arrives\|cate.*#lobby'
catgirl 'hello from catgirl'
alice_saw 'hears catgirl' '<cate> hello from catgirl'
alice 'hello catgirl'
saw 'alice answers' 'alice.*hello catgirl'
saw 'server-time' '^.*@time=.*hello catgirl' cat cate.raw
catgirl '/names'
saw '/names' 'alice'
catgirl '/query echo'
catgirl 'hello'
saw 'a direct message' 'Server received your message: hello'
catgirl '/quit'
alice_saw 'catgirl has left' 'cate quit'
# A line of more than 512 bytes, which is replayed: it must not be the end of a client whose buffer holds no more.
alice "$(printf 'tea %.0s' $(seq 400))"
start_catgirl cate "$root_pem"
alice_saw 'catgirl is back' 'cate joined'
saw 'a long line that was missed' 'tea tea tea'
catgirl 'still here'
alice_saw 'catgirl lives' '<cate> still here'
finish
