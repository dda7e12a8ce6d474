#!/usr/bin/env bash
# The full-screen chat as a new user finds it, in a real tmux: they type /help, and use nothing but what it and the screen
# say. They find a channel in the list, join it, ban and unban somebody, pin a message, choose colours and what notifies
# them, leave a line unsent and quit; after the next start everything is as it was. Prints each check with the line of the
# screen that shows it; the first that fails ends the script with the screen.
#
#   scripts/terminal.sh [SIZE...]    sizes of the terminal, by default 80x24 200x50 40x12; builds the debug binary first;
#                                    installs tmux where it is missing
#   PARLOUR=path scripts/terminal.sh uses that binary
set -euo pipefail
# shellcheck source=scripts/clients-common.sh
. "$(dirname "$0")/clients-common.sh"

start_tmux
screen() { tmux_ capture-pane -p -t "$user"; }
press() { tmux_ send-keys -t "$user" "$@"; }
type_() { tmux_ send-keys -t "$user" -l -- "$*"; tmux_ send-keys -t "$user" Enter; }
stop() { screen >&2 || true; fail "$size: $*"; }

# check CHECK PATTERN [COMMAND]: waits until the screen, or what the command prints of it, has a line that matches.
check() {
  local line
  line=$(seen 30 "$2" "${3:-screen}") || stop "$1: never saw «$2»"
  ok "$size" "$1" "$line"
}
check_window() { check "$1" "$2" window_rows; }
# check_gone CHECK PATTERN: waits until the screen has no such line.
check_gone() { unseen 30 "$2" screen || stop "$1: still shows «$2»"; }
# Waits for the end of what Esc ends: a letter that follows it at once would be one with Alt.
clear_hint() { press Escape; check_gone 'Esc clears the hint' "$1"; }
close_window() { press Escape; check_gone 'Esc closes the window' '╭'; }

# The rows within the window on the screen, without its frame.
window_rows() {
  local line left='' width=0
  while IFS= read -r line; do
    if [ -z "$left" ]; then
      [[ $line == *╭*╮* ]] || continue
      left=${line%%╭*}
      line=${line:${#left}} left=${#left}
      line=${line%%╮*} width=${#line}
    elif [ "${line:left:1}" = ╰ ]; then
      return
    else
      printf '%s\n' "${line:left+2:width-3}"
    fi
  done < <(screen)
}

# Rows of the help seen so far: the last one on the screen, and all.
help_position() { screen | sed -n 's/^.*╰─* \([0-9]*\) of \([0-9]*\) rows\( ↓\)\? ─*╯.*$/\1 \2/p'; }
# help_moved POSITION: the position, if it is another one.
help_moved() { help_position | grep -vx -- "${1:-none}"; }

# Reads the whole help from the screen, page by page, into help.txt: a line for each key or command, with its description.
read_help() {
  local position='' last row rows
  type_ /help
  check '/help opens the help' '╭─ Help'
  : > rows.txt
  until [ -n "$position" ] && [ "${position% *}" = "${position#* }" ]; do
    [ -z "$position" ] || press PgDn
    position=$(seen 30 . help_moved "$position") || stop 'the help does not scroll'
    mapfile -t rows < <(window_rows)
    last=${position% *}
    for row in "${!rows[@]}"; do printf '%d\t%s\n' $((last - ${#rows[@]} + row + 1)) "${rows[row]}" >> rows.txt; done
  done
  # Where the screen is narrow, the description is below the name; where it is wide, beside it.
  sort -n -u -k 1,1 rows.txt | cut -f 2- | awk '
    function flush() { if (entry != "") print entry; entry = "" }
    { sub(/ +$/, "") }
    /^$/ { flush(); next }
    /^  / { sub(/^ +/, ""); entry = entry (described ? " " : "  ") $0; described = 1; next }
    { flush(); entry = $0; described = entry ~ /[^ ]  +[^ ]/ }
    END { flush() }' > help.txt
  close_window
}

# help_entry NAME DESCRIPTION: the entry of the help whose name and description start so.
help_entry() {
  grep -m 1 -- "^$1.*  $2" help.txt && return
  cat help.txt >&2
  fail "$size: the help has nothing that says «$2»"
}
# run DESCRIPTION [ARGUMENT...]: types the command that the help describes so, with arguments if its usage has any.
run() {
  local entry usage
  entry=$(help_entry / "$1")
  usage=${entry%%  *}
  shift
  [ $# -eq 0 ] || [[ $usage == *' '* ]] || fail "$size: $usage has no argument"
  [[ $usage != *' '[A-Z]* ]] || [ $# -gt 0 ] || fail "$size: $usage needs an argument"
  type_ "${usage%% *}" "$@"
}
# key DESCRIPTION: presses the first key that the help describes so.
key() {
  local name
  name=$(help_entry '[^/]' "$1")
  name=${name%%  *} name=${name%%, *}
  case $name in Ctrl-?) name=${name,,} ;; esac
  name=${name/#[Cc]trl-/C-} name=${name/#Alt-/M-}
  press "$name"
}
# offered DESCRIPTION VALUE: checks that a command's description has this value.
offered() { help_entry / "$1.*\b$2\b" > /dev/null; }

open() {
  tmux_ new-session -d -s "$user" -x "${size%x*}" -y "${size#*x}" "$(as_command "$user") chat; echo ended; exec cat"
  await '● [0-9]* ms\|^● ' screen
}
quit() {
  key 'quit$'
  check 'the key for quitting ends the client' '^ended'
  tmux_ kill-session -t "$user"
}
# carol writes from a script: the server takes it, or refuses it.
carol_may_write() { as carol send "$channel" "$1" > /dev/null 2> carol.err; }

start_server
as bob join "$(tail -n 1 invite.txt)" --name bob --password-stdin <<<'bob secret' > /dev/null
as carol join "$(invite)" --name carol --password-stdin <<<'carol secret' > /dev/null
start_plain_chat bob
exec 3> bob.in
bob() { printf '%s\n' "$1" >&3; }
await 'you joined' cat bob.out

try() {
  user=nora$number channel=''
  local before theme

  printf '\n== %s\n' "$size"
  as "$user" join "$(invite)" --name "$user" --password-stdin <<<"$user secret" > /dev/null
  bob "/join #garden$number"
  bob "/topic Beans and tomatoes, bed $number"
  bob "Ripe in bed $number"
  open
  read_help
  printf '  the help has %s keys and commands\n' "$(grep -c '  ' help.txt)"

  run 'list all channels'
  check 'it opens the list of channels' '╭─ Channels — Enter joins'
  press -l "tomatoes $number"
  check 'a filter finds one by its topic' "╰.* 1 of [0-9]* channels"
  # At forty columns there is room for the name alone.
  channel=$(window_rows | grep -o '#garden[0-9]*' | head -n 1) || stop 'no channel is left'
  ! window_rows | grep -q "✓ $channel" || stop 'the channel is marked as joined'
  press Enter
  check_gone 'Enter closes the list' '╭'
  check 'Enter joins it' "^ $channel"
  check 'its history is there' "Ripe in bed $number"

  await "$user joined" cat bob.out
  bob "/op $user"
  check 'bob makes them an operator' 'made you an operator'

  carol_may_write 'hello from carol' || fail "$size: carol cannot write: $(cat carol.err)"
  check 'carol writes' 'hello from carol'
  run 'keep a person from joining' carol
  check 'a ban asks first' 'any other key: no'
  press y
  press Enter
  check 'the ban is seen' "banned carol"
  ! carol_may_write 'banned words' || fail "$size: carol writes although banned"
  run 'list bans'
  check_window 'the ban is in the list' 'carol.*banned'
  close_window
  run 'lift a ban' carol
  check 'the end of the ban is seen' 'unbanned carol'
  carol_may_write 'carol is back' || fail "$size: carol cannot write after the ban: $(cat carol.err)"
  check 'carol writes again' 'carol is back'

  run 'pin the selected or latest message'
  check 'the message is pinned' 'pinned in '
  run 'list the pinned messages'
  check_window 'it is in the list of pins' 'carol is back'
  close_window

  before=$(colours "$user")
  offered 'choose the colours' light
  run 'choose the colours' light
  theme=$(seen 30 . colours_changed "$user" "$before") || stop 'the colours do not change'
  ok "$size" 'the colours change'
  offered 'choose what notifies you' nothing
  run 'choose what notifies you' nothing
  check 'nothing notifies them here' "nothing notifies you in $channel"
  clear_hint 'notifies you'
  press -l 'to be continued'
  check 'a line is typed' '› to be continued'
  quit

  open
  check 'the conversation is the one they left' "^ $channel"
  check 'the unsent line is there' '› to be continued'
  [ "$(colours "$user")" = "$theme" ] || stop "the colours are not those of before: $theme, now $(colours "$user")"
  ok "$size" 'the colours are those of before'
  check 'the messages are there' 'carol is back'
  key 'cut to the start of the line$'
  check_gone 'the key cuts the line' 'to be continued'
  run 'list the pinned messages'
  check_window 'the pinned message is there' 'carol is back'
  close_window
  run 'choose what notifies you'
  check 'what notifies them is as it was' "nothing notifies you in $channel"
  clear_hint 'notifies you'
  run 'list bans'
  check 'nobody is banned' 'nobody is banned'
  clear_hint 'nobody is banned'
  run 'list all channels'
  check_window 'the channel is marked as joined' "✓ $channel"
  close_window
  quit
}

[ $# -gt 0 ] || set -- 80x24 200x50 40x12
number=0
for size in "$@"; do
  [[ $size =~ ^[0-9]+x[0-9]+$ ]] || fail "not a size: $size"
  number=$((number + 1))
  try
done
finish
