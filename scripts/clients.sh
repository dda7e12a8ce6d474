#!/usr/bin/env bash
# irssi and WeeChat, the real ones, set up with the lines of docs/clients.md, beside `parlour chat --plain`: they write, run a
# channel, miss messages, die, share an account, log in by certificate. Prints for each check what was on the screen;
# exits 0 when all was as it should be.
#
#   scripts/clients.sh               builds the debug binary first; installs irssi, WeeChat and tmux where missing
#   PARLOUR=path scripts/clients.sh  uses that binary
set -euo pipefail
# shellcheck source=scripts/clients-common.sh
. "$(dirname "$0")/clients-common.sh"

start_tmux
install irssi irssi
install weechat weechat-curses
install openssl openssl

screen() { tmux_ capture-pane -p -t "clients:$1"; }
# type_in CLIENT TEXT...: types lines, as a user does.
type_in() {
  local client=$1 line
  shift
  for line in "$@"; do tmux_ send-keys -t "clients:$client" -l "$line" \; send-keys -t "clients:$client" Enter; done
}
irssi() { type_in irssi "$@"; }
weechat() { type_in weechat "$@"; }
# Types into WeeChat's buffer of that name; irssi is set to have all in one window.
buffer() { type_in weechat "/buffer $1" '/buffer clear -all'; blank weechat; }
# Waits until what a client showed of an earlier login is off its screen.
blank() {
  for _ in $(seq 100); do
    screen "$1" | grep -q 'message of the day' || return 0
    sleep 0.1
  done
}
# saw CLIENT CHECK PATTERN
saw() {
  local line
  if line=$(seen 15 "$3" screen "$1"); then ok "$1" "$2" "$line"; else no "$1" "$2" "expected «$3»"; screen "$1" | grep -v '^ *$' | tail -n 25; fi
}
# start CLIENT: a window with the client; its process is the pane's own, so that it can be ended by its id.
start() {
  local run
  case $1 in
    irssi) run="exec irssi --home '$home/irssi'" ;;
    weechat) run="exec weechat -d '$home/weechat' -r '/set weechat.look.paste_max_lines -1'" ;;
  esac
  tmux_ new-window -t clients -n "$1" "$run"
  seen 20 "$([ "$1" = irssi ] && echo 'Irssi v' || echo 'WeeChat 3')" screen "$1" >/dev/null || true
}
pid_of() { tmux_ list-panes -t "clients:$1" -F '#{pane_pid}'; }
# Waits until a client's window is gone, since two of a name are none to tmux.
gone() { while tmux_ list-windows -t clients -F '#W' | grep -qx "$1"; do sleep 0.1; done; }
crash() { kill -KILL "$(pid_of "$1")"; gone "$1"; }
# Lines of alice's since a mark.
mark() { marked=$(wc -l < alice.out); }
since() { tail -n "+$((marked + 1))" alice.out; }

start_server
start_alice
add_user irene
add_user wanda
shown=$("$PARLOUR" certs show)
irssi_pin=$(sed -n 's/^irssi -tls_pinned_pubkey *//p' <<<"$shown")
tmux_ new-session -d -s clients -x 150 -y 120 -n first


printf '\n== set-up, with the lines of docs/clients.md\n'
start irssi
irssi '/set show_server_time ON' '/set autocreate_windows OFF' '/set autocreate_query_level NONE' '/set cmd_queue_speed 10msec' \
  "/network add -nick irene -sasl_mechanism PLAIN -sasl_username irene -sasl_password 'irene secret' parlour" \
  "/server add -network parlour -tls -notls_verify -tls_pinned_pubkey $irssi_pin 127.0.0.1 $port" \
  '/channel add -auto #lobby parlour' '/save' '/connect parlour'
alice_saw 'irssi has joined' 'irene joined'
start weechat
# shellcheck disable=SC2016 # WeeChat's own variable
weechat "/set weechat.network.gnutls_ca_user $home/certs/root.pem" \
  "/server add parlour 127.0.0.1/$port -ssl -nicks=wanda -sasl_mechanism=plain -sasl_username=wanda -autojoin=#lobby" \
  '/secure set parlour wanda secret' '/set irc.server.parlour.sasl_password "${sec.data.parlour}"' \
  '/set irc.server.parlour.autoconnect on' '/save' '/connect parlour'
alice_saw 'WeeChat has joined' 'wanda joined'
saw irssi 'SASL' 'SASL authentication succeeded'
saw irssi 'its nick is the account' '\[irene\]'
buffer server.parlour
weechat '/buffer #lobby'
saw weechat 'its nick is the account' '\[wanda\]'

printf '\n== talking\n'
alice 'Welcome, both of you'
irssi '/msg #lobby Irene speaks from irssi'
weechat 'Wanda speaks from WeeChat'
alice_saw 'irssi speaks' '<irene> Irene speaks from irssi'
alice_saw 'WeeChat speaks' '<wanda> Wanda speaks from WeeChat'
saw irssi 'alice speaks' 'alice.*Welcome, both of you'
saw irssi 'WeeChat speaks' 'wanda.*Wanda speaks from WeeChat'
saw weechat 'alice speaks' 'alice.*Welcome, both of you'
saw weechat 'irssi speaks' 'irene.*Irene speaks from irssi'
irssi '/msg alice just for you'
alice_saw 'a direct message' '<irene> just for you'
alice '/msg irene and back'
saw irssi 'a direct message' 'alice.*and back'
weechat '/query echo hello'
saw weechat 'the echo' 'Server received your message: hello'

printf '\n== a channel of irene, run from irssi\n'
irssi '/join #irssi' '/msg #irssi said before WeeChat came'
saw irssi 'who makes a channel is its founder' '\[~@*irene\]'
weechat '/join #irssi' '/buffer #irssi'
saw weechat 'history on joining' 'irene.*said before WeeChat came'
irssi '/op wanda'
saw irssi 'op' 'mode/#irssi .*+o wanda.*by irene'
saw weechat 'op' 'Mode #irssi .*+o wanda.*by irene'
irssi '/deop wanda' '/topic The topic of irssi' '/mode +m'
saw weechat 'topic' 'irene has.*topic.*The topic of irssi'
saw weechat 'mode' 'Mode #irssi .*+m.*by irene'
weechat 'nobody hears this'
saw weechat 'moderated' 'Cannot send to channel (+m)'
irssi '/voice wanda'
saw weechat 'voice' 'Mode #irssi .*+v wanda.*by irene'
irssi '/ban wanda' '/kick wanda Out with you'
saw irssi 'ban' 'mode/#irssi .*+b .*by irene'
saw weechat 'kick' 'irene has kicked wanda.*Out with you'
weechat '/join #irssi'
saw weechat 'banned' 'annot join channel.*banned'
irssi '/ban'
saw irssi 'list of bans' '#irssi: ban .*wanda'
irssi '/unban *wanda*'
saw irssi 'unban' 'mode/#irssi .*-b'

printf '\n== a channel of wanda, run from WeeChat\n'
weechat '/join #weechat'
saw weechat 'who makes a channel is its founder' '\[~@*wanda\]'
weechat 'said before irssi came'
irssi '/join #weechat'
saw irssi 'history on joining' 'wanda.*said before irssi came'
weechat '/op irene'
saw irssi 'op' 'mode/#weechat .*+o irene.*by wanda'
weechat '/topic The topic of WeeChat' '/mode +i'
saw irssi 'topic' 'wanda changed the topic of #weechat to: The topic of WeeChat'
saw irssi 'mode' 'mode/#weechat .*+i.*by wanda'
weechat '/ban irene' '/kick irene Out with you too'
saw irssi 'kick' 'kicked from #weechat by wanda.*Out with you too'
weechat '/ban'
saw weechat 'list of bans' 'irene.*banned by'
irssi '/join #weechat'
saw irssi 'banned' 'annot join.*#weechat'
weechat '/unban irene' '/invite irene'
saw irssi 'invite' 'wanda invites you to #weechat'

printf '\n== questions\n'
irssi '/clear' '/whois wanda' '/list -yes' '/names #lobby'
saw irssi '/whois' 'wanda \[wanda@parlour\]'
saw irssi '/whois: account' 'account *: wanda'
saw irssi '/whois: end' 'End of WHOIS'
saw irssi '/list' '#irssi 1 The topic of irssi'
saw irssi '/list: end' 'End of /LIST'
saw irssi '/names' '[~@]*alice.*irene.*wanda'
buffer server.parlour
weechat '/whois irene' '/list' '/names #lobby'
saw weechat '/whois' '\[irene\].*irene@parlour'
saw weechat '/whois: end' '\[irene\].*End of'
saw weechat '/list' '#irssi.*1.*The topic of irssi'
weechat '/buffer #lobby'
saw weechat '/names' 'Nicks #lobby: .*[~@]*alice.*irene.*wanda'
irssi '/away gone for tea'
saw irssi '/away' 'marked as being away'
weechat '/query irene are you there'
saw weechat 'who is away' 'gone for tea'
irssi '/away'
saw irssi '/away, back' 'no longer marked as being away'
irssi '/msg NickServ HELP'
saw irssi 'NickServ HELP' 'NickServ.*CERT ADD'
weechat '/query NickServ HELP'
saw weechat 'NickServ HELP' 'CERT ADD'

printf '\n== what was missed, for who was not there\n'
irssi '/quit'
gone irssi
alice_saw 'irssi has left' 'irene quit'
alice 'said while irene was gone'
weechat '/query irene a letter for irene'
saw weechat 'a letter to who is not there' 'a letter for irene'
start irssi
irssi '/connect parlour'
saw irssi 'missed in a channel' 'alice.*said while irene was gone'
saw irssi 'missed letter' 'wanda.*a letter for irene'
weechat '/quit'
gone weechat
alice_saw 'WeeChat has left' 'wanda quit'
alice 'said while wanda was gone'
irssi '/msg wanda a letter for wanda'
start weechat
weechat '/buffer #lobby'
saw weechat 'missed in a channel' 'alice.*said while wanda was gone'
weechat '/buffer parlour.irene'
saw weechat 'missed letter' 'irene.*a letter for wanda'

printf '\n== kill -9, and back within the grace of 10 s, or not\n'
mark
crash irssi
alice 'said while irene was dead'
start irssi
irssi '/connect parlour'
saw irssi 'missed in a channel' 'alice.*said while irene was dead'
irssi '/msg #lobby irene is alive'
alice_saw 'irssi is back' 'irene is alive'
if since | grep 'irene \(joined\|went\)'; then no alice 'nothing of it' 'expected no join and no quit'; else ok alice 'saw no quit and no join of it'; fi
mark
crash weechat
began=$(date +%s)
if line=$(seen 20 'wanda quit' since); then ok alice "WeeChat is dead, after $(($(date +%s) - began)) s" "$line"; else no alice 'WeeChat is dead' 'expected a quit'; fi
start weechat
alice_saw 'WeeChat is back' 'wanda joined'

printf '\n== one account, two devices: WeeChat as irene too\n'
mark
buffer server.parlour
weechat "/server add twin 127.0.0.1/$port -ssl -nicks=irene -sasl_mechanism=plain -sasl_username=irene" \
  '/set irc.server.twin.sasl_password "irene secret"' '/connect twin'
saw weechat "irene's channels come by themselves" 'irc/twin.*#irssi'
weechat '/buffer twin.#lobby'
saw weechat 'is in' 'irc/twin.*#lobby'
alice 'for all devices'
saw irssi 'a channel' 'alice.*for all devices'
saw weechat 'a channel' 'alice.*for all devices'
irssi '/msg #lobby from the one device'
saw weechat 'what the other device says' 'irene.*from the one device'
weechat 'from the other device'
saw irssi 'what the other device says' 'irene.*from the other device'
alice '/msg irene a letter for all devices'
saw irssi 'a letter' 'alice.*a letter for all devices'
await 'H: .*alice' screen weechat # its buffer exists
weechat '/buffer twin.alice'
saw weechat 'a letter' 'alice.*a letter for all devices'
weechat '/disconnect twin'
irssi '/msg #lobby one is left'
alice_saw 'one is left' 'one is left'
if since | grep 'irene \(joined\|went\)'; then no alice 'nothing of it' 'expected no join and no quit'; else ok alice 'saw no join and no quit of it'; fi

printf '\n== after a renewal\n'
"$PARLOUR" certs renew > renewal.txt 2>&1
irssi '/disconnect' '/clear'
blank irssi
irssi '/connect parlour'
saw irssi 'its pin is that of the key' 'SASL authentication succeeded'
buffer server.parlour
weechat '/reconnect parlour'
saw weechat 'its authority is the root' 'SASL authentication successful'

printf '\n== login by certificate, with the lines of docs/clients.md\n'
for name in irene wanda; do
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj "/CN=$name" \
    -keyout "$name.pem" -out "$name.crt" 2>/dev/null
  cat "$name.crt" >> "$name.pem"
done
irssi "/server modify -network parlour -tls_cert $home/irene.pem 127.0.0.1 $port" '/disconnect' '/clear'
blank irssi
irssi '/connect parlour'
saw irssi 'shows its certificate' '\[Users #lobby\]'
irssi '/msg NickServ CERT ADD'
saw irssi 'NickServ CERT ADD' 'NickServ.*was added to your account'
irssi '/network modify -sasl_mechanism EXTERNAL -sasl_password "" parlour' '/disconnect' '/clear'
blank irssi
irssi '/connect parlour'
saw irssi 'SASL EXTERNAL' 'SASL authentication succeeded'
saw irssi 'and its channels' '\[Users #lobby\]'
irssi '/msg NickServ CERT LIST'
saw irssi 'NickServ CERT LIST: it was used' 'last used 2\|^ *20.*T.*Z$'
buffer server.parlour
weechat "/set irc.server.parlour.ssl_cert $home/wanda.pem" '/reconnect parlour'
saw weechat 'shows its certificate' 'no message of the day'
weechat '/msg NickServ CERT ADD'
saw weechat 'NickServ CERT ADD' 'Certificate [0-9a-f]\{64\}'
weechat '/set irc.server.parlour.sasl_mechanism external' '/unset irc.server.parlour.sasl_password'
buffer server.parlour
weechat '/reconnect parlour'
saw weechat 'SASL EXTERNAL' 'SASL authentication successful'
saw weechat 'is in' 'no message of the day'
weechat '/msg NickServ CERT LIST'
saw weechat 'NickServ CERT LIST: it was used' 'last used 2'
finish
