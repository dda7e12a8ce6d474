#!/usr/bin/env bash
# The full-screen chat in a real tmux: alice and bob join and write, the server is killed meanwhile, comes back,
# and nothing is lost or doubled; the screens are looked at in three sizes, and the terminal is given back at the end.
#
#   scripts/screen.sh              builds the debug binary first; needs tmux
#   PARLOUR=path scripts/screen.sh uses that binary
#   SHOW=1 scripts/screen.sh       prints the screens
set -euo pipefail
. "$(dirname "$0")/clients-common.sh"

start_tmux

# screen USER: the user's screen.
screen() { tmux_ capture-pane -p -t "$1"; }
look() { if [ -n "${SHOW:-}" ]; then printf -- '--- %s\n' "$*"; screen "$1"; fi; }
# open USER COLUMNS ROWS: a terminal with the user's client. The shell's output after it is shown too.
open() {
  tmux_ new-session -d -s "$1" -x "$2" -y "$3" \
    "$(as_command "$1") chat; stty -a | grep -o -- '-\\?icanon'; echo ended; exec cat"
}
type_() { local who=$1; shift; tmux_ send-keys -t "$who" -l "$*"; tmux_ send-keys -t "$who" Enter; }

start_server
for person in alice bob carol; do
  as $person join "$(invite)" --name $person --password-stdin <<<"$person secret" >/dev/null
done

open alice 80 24
open bob 200 50
await '#lobby' screen alice
await '● [0-9]* ms' screen alice
await '● [0-9]* ms' screen bob
type_ alice 'hello bob'
line=$(seen 30 'hello bob' screen bob) && ok screen 'talks' "$line" || no screen 'talks' 'bob never saw it'
tmux_ send-keys -t bob -l 'something'
line=$(seen 30 'bob is typing' screen alice) && ok screen 'typing notes' "$line" || no screen 'typing notes' ''
tmux_ send-keys -t bob C-u

# The power goes while both write.
for n in 1 2 3; do type_ alice "alice before $n"; type_ bob "bob before $n"; done
kill -KILL "${pids[0]}"
wait "${pids[0]}" 2>/dev/null || true
line=$(seen 30 'reconnecting' screen alice) && ok screen 'says that it is gone' "$line" || no screen 'says that it is gone' ''
for n in 1 2 3; do type_ alice "alice while $n"; type_ bob "bob while $n"; done
await '[0-9] waiting' screen alice
"$PARLOUR" serve --listen "127.0.0.1:$port" > /dev/null 2>> log.txt &
pids[0]=$!
type_ alice 'alice after'
await 'alice after' screen bob
await 'bob while 3' screen alice
gone() { ! screen "$1" | grep -Eq '[0-9] (waiting|sending)'; }
for _ in $(seq 300); do gone alice && gone bob && break; sleep 0.1; done
for who in alice bob; do
  for text in 'hello bob' 'alice before '{1,2,3} 'bob before '{1,2,3} 'alice while '{1,2,3} 'bob while '{1,2,3} 'alice after'; do
    count=$(screen $who | grep -c "$text *│\?.*$" || true)
    [ "$count" = 1 ] || no screen "$who sees «$text» once" "$count times"
  done
done
[ $failures = 0 ] && ok screen 'nothing is lost or doubled'
look alice '80x24'
look bob '200x50'

# A hostile sender.
as bob send '#lobby' "$(printf '\033[2J\033]0;owned\007\033[31mred \342\200\256evil\314\266\314\266\314\266\314\266\314\266\314\266')" >/dev/null
line=$(seen 30 'red evil' screen alice) && ok screen 'a hostile sender' "$line" || no screen 'a hostile sender' ''
[ "$(tmux_ display-message -p -t alice '#{pane_title}')" != owned ] || no screen 'the title is not changed' ''

# Comings and goings are folded, and unfolded by a key; a password is not to be seen.
printf '/join #lobby\n/part #lobby see you\n' | as carol chat >/dev/null 2>&1
line=$(seen 30 '▸.*carol' screen alice) && ok screen 'folds who comes and goes' "$line" || no screen 'folds' ''
tmux_ send-keys -t alice M-Up Enter Escape
line=$(seen 30 'carol left (see you)' screen alice) && ok screen 'shows each of them' "$line" || no screen 'unfolds' ''
type_ alice '/ns PASSWD one-secret another-secret'
line=$(seen 30 'PASSWD •••• ••••' screen alice) && ok screen 'hides a password' "$line" || no screen 'hides a password' ''
! screen alice | grep -q another-secret || no screen 'hides a password' 'it is seen'
tmux_ send-keys -t alice M-1

tmux_ resize-window -t alice -x 40 -y 12
await 'red evil' screen alice
look alice '40x12'
tmux_ resize-window -t alice -x 200 -y 50
line=$(seen 30 '[0-9] here' screen alice) && ok screen 'another size' "$line" || no screen 'another size' ''

type_ alice '/quit'
line=$(seen 30 '^ended' screen alice) && ok screen 'ends, and gives the terminal back' "$line" || no screen 'ends' ''
screen alice | grep -qx 'icanon' || no screen 'the terminal is as it was' "$(screen alice | head -3)"
pid=$(tmux_ list-panes -t bob -F '#{pane_pid}')
kill -TERM "$(pgrep -P "$pid" parlour)"
line=$(seen 30 '^ended' screen bob) && ok screen 'gives it back after a signal too' "$line" || no screen 'ends by a signal' ''
screen bob | grep -qx 'icanon' || no screen 'the terminal is as it was' "$(screen bob | head -3)"

[ $failures = 0 ] || fail "$failures did not go as they should"
