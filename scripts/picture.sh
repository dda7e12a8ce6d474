#!/usr/bin/env bash
# Draws docs/screen.svg, the picture in README.md, from the real full-screen client: a server on loopback, three accounts
# that write, the client in tmux, and what tmux shows of it.
#
#   scripts/picture.sh              builds the debug binary first; needs tmux, and python3 with venv for the package rich
#   PARLOUR=path scripts/picture.sh uses that binary
set -euo pipefail
picture=$(cd "$(dirname "$0")/.." && pwd)/docs/screen.svg
. "$(dirname "$0")/clients-common.sh"

start_tmux
python3 -m venv "$home/python"
"$home/python/bin/pip" install --quiet rich

screen() { tmux_ capture-pane -p -t alice; }

start_server
as alice join "$(tail -n 1 invite.txt)" --name alice --password-stdin <<<'alice secret' > /dev/null
for person in bob mira; do
  as $person join "$(invite --channel '#workshop')" --name $person --password-stdin <<<"$person secret" > /dev/null
done

as alice servers rename 127.0.0.1 office
# They stay connected, as `parlour send` would not show them online.
for person in bob mira; do start_plain_chat $person; done
exec 3> bob.in 4> mira.in
bob() { printf '%s\n' "$1" >&3; await "${1:0:20}" screen; }
mira() { printf '%s\n' "$1" >&4; await "${1:0:20}" screen; }

tmux_ new-session -d -s alice -x 112 -y 22 "$(as_command alice) chat --theme dark; exec cat"
await '● [0-9]* ms' screen
type_() { tmux_ send-keys -t alice -l "$*"; tmux_ send-keys -t alice Enter; }
type_ '/join #workshop'
await 'begins' screen
mira 'The laser cutter is free from three o’clock'
bob 'I take it for the enclosure. 4 mm plywood?'
mira '4 mm, yes: the 3 mm is for the lids 🙂'
bob 'alice, are the drawings final?'
type_ 'Yes, all of them: https://files.example.org/enclosure.svg'
await 'enclosure.svg' screen
mira 'Then we cut at three. 接続テストも同じ日に。'
as bob send alice 'I bring the plywood'
await 'bob  *1' screen
type_ '/react 👍'
await '👍' screen

tmux_ capture-pane -e -p -t alice > screen.txt
"$home/python/bin/python" - screen.txt "$picture" <<'PYTHON'
import sys
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

source, target = sys.argv[1:]
console = Console(record=True, width=112, file=open("/dev/null", "w"), force_terminal=True, color_system="truecolor")
for line in open(source, encoding="utf-8"):
    console.print(Text.from_ansi(line.rstrip("\n")), no_wrap=True, overflow="crop")
# Fonts of the reader's machine: the picture fetches nothing.
svg = console.export_svg(title="parlour chat", theme=MONOKAI, unique_id="parlour")
head, rest = svg.split("@font-face", 1)
svg = head + rest[rest.rindex("}", 0, rest.index(".parlour-matrix")) + 1:]
svg = svg.replace("Fira Code", "DejaVu Sans Mono, Menlo, Consolas")
open(target, "w", encoding="utf-8").write(svg)
PYTHON
printf 'picture: %s\n' "$picture"
