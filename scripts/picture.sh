#!/usr/bin/env bash
# Draws the pictures of the full-screen client, docs/screen.svg for README.md and docs/pictures/ for docs/terminal.md, from the
# real one: a server on loopback, three accounts that write, the client in tmux, and what tmux shows of it.
#
#   scripts/picture.sh              builds the debug binary first; needs tmux, and python3 with venv for the package rich
#   PARLOUR=path scripts/picture.sh uses that binary
set -euo pipefail
docs=$(cd "$(dirname "$0")/.." && pwd)/docs
# shellcheck source=scripts/clients-common.sh
. "$(dirname "$0")/clients-common.sh"

start_tmux
python3 -m venv "$home/python"
"$home/python/bin/pip" install --quiet rich

cat > "$home/draw.py" <<'PYTHON'
"""Draws the screen that standard input has with its escapes: draw.py PICTURE COLUMNS dark|light."""
import re
import sys
from rich.console import Console
from rich.terminal_theme import DEFAULT_TERMINAL_THEME, MONOKAI
from rich.text import Text

target, columns, background = sys.argv[1], int(sys.argv[2]), sys.argv[3]
console = Console(record=True, width=columns, file=open("/dev/null", "w"), force_terminal=True, color_system="truecolor")
for line in sys.stdin:
    console.print(Text.from_ansi(line.rstrip("\n")), no_wrap=True, overflow="crop")
theme = MONOKAI if background == "dark" else DEFAULT_TERMINAL_THEME
# Fonts of the reader's machine: the picture fetches nothing.
svg = console.export_svg(title="parlour chat", theme=theme, unique_id="parlour")
head, rest = svg.split("@font-face", 1)
svg = head + rest[rest.rindex("}", 0, rest.index(".parlour-matrix")) + 1:]
svg = svg.replace("Fira Code", "DejaVu Sans Mono, Menlo, Consolas")
# Without it some programs drop the blanks at the start of a text.
svg = svg.replace("<svg ", '<svg xml:space="preserve" ', 1)
open(target, "w", encoding="utf-8").write(svg)
PYTHON

screen() { tmux_ capture-pane -p -t alice; }
press() { tmux_ send-keys -t alice "$@"; }
type_() { press -l -- "$*"; press Enter; }
# draw PICTURE [dark|light]: draws what is on the screen.
draw() {
  tmux_ capture-pane -e -p -t alice | "$home/python/bin/python" "$home/draw.py" "$docs/$1.svg" 112 "${2:-dark}"
  printf 'picture: %s\n' "$docs/$1.svg"
}
# Closes the window on the screen.
close() { press Escape; unseen 30 '╭' screen || fail 'Esc closes no window'; }

start_server
as alice join "$(tail -n 1 invite.txt)" --name alice --password-stdin <<<'alice secret' > /dev/null
for person in bob mira; do
  as $person join "$(invite --channel '#workshop')" --name $person --password-stdin <<<"$person secret" > /dev/null
done

as alice servers rename 127.0.0.1 office
# They stay connected, as `parlour send` would not show them online.
for person in bob mira; do start_plain_chat $person; done
exec 3> bob.in 4> mira.in
bob() { printf '%s\n' "$1" >&3; }
mira() { printf '%s\n' "$1" >&4; }
# said PERSON TEXT: they say it, and alice sees it.
said() { "$1" "$2"; await "${2:0:20}" screen; }
# They make channels, one after the other, so that bob is their founder.
for channel in 'garden Beans, tomatoes and who waters them' 'kitchen What there is for lunch' \
  'release 0.3 goes out on Friday' 'gadgets Buy, sell, repair'; do
  bob "/join #${channel%% *}"
  bob "/topic ${channel#* }"
  await "set the topic: ${channel#* }" cat bob.out
done
bob '/query #workshop'
mira '/join #garden'
mira '/join #kitchen'
mira '/query #workshop'
mira '/setname Mira Sato'

tmux_ new-session -d -s alice -x 112 -y 22 "$(as_command alice) chat --theme dark; exec cat"
await '● [0-9]* ms' screen
type_ '/join #workshop'
await 'you joined' screen
said mira 'The laser cutter is free from three o’clock'
said bob 'I take it for the enclosure. 4 mm plywood?'
said mira '4 mm, yes: the 3 mm is for the lids 🙂'
said bob 'alice, are the drawings final?'
type_ 'Yes, all of them: https://files.example.org/enclosure.svg'
await 'enclosure.svg' screen
said mira 'Then we cut at three. 接続テストも同じ日に。'
as bob send alice 'I bring the plywood'
await 'bob  *1' screen
type_ '/react 👍'
await '👍 alice' screen
draw screen

press C-k
await '#gadgets' screen
press -l 'ga'
await '› ga' screen
await '#garden' screen
draw pictures/switcher
close

press M-l
await 'Buy, sell, repair' screen
draw pictures/channels
close

type_ '/whois mira'
await '╭.*mira' screen
draw pictures/profile
close

# bob answers it in the plain chat, where a reply is one to the last message.
bob '/reply At three, then. I bring the clamps.'
await 'I bring the clamps' screen
mira '/reply And coffee.'
await 'And coffee' screen
type_ '/thread'
await '2 answers' screen
draw pictures/thread
close

type_ '/pin'
await 'pinned in' screen
type_ '/pins'
await '╭─ Pinned' screen
draw pictures/pins
close

type_ '/set'
await '╭─ Settings' screen
draw pictures/settings
close

before=$(colours alice)
type_ '/theme light'
seen 30 . colours_changed alice "$before" > /dev/null || fail 'the colours do not change'
draw pictures/light light
