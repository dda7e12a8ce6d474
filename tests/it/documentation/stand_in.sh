#!/bin/bash
# Stands in front of the program when the commands of the documentation are run: types what a person would type, and puts
# what is there in the place of what stands for it. PROGRAM is the program, PASSWORD what accounts have.
set -euo pipefail

arguments=()
for argument; do
    case $argument in
    'parlour://…' | LINK) argument=$(cd ~/chat 2>/dev/null || true; "$PROGRAM" invite create 2>/dev/null | tail -n 1) ;;
    chat.example.org) argument=127.0.0.1 ;;
    esac
    arguments+=("$argument")
done

case "${1:-} ${2:-}" in
'serve '*)
    # Tests share the machine, and its network is not theirs.
    printf '[passwords]\nmemory_kib = 64\niterations = 1\n' >parlour.toml
    exec "$PROGRAM" "${arguments[@]}" --listen 127.0.0.1:0
    ;;
'join '*) exec "$PROGRAM" "${arguments[@]}" --name "erin" --password-stdin <<<"$PASSWORD" ;;
'user passwd')
    case " $* " in
    *' --generate-passwords '*) exec "$PROGRAM" "${arguments[@]}" --yes ;;
    *) exec "$PROGRAM" "${arguments[@]}" --password-stdin <<<"$PASSWORD" ;;
    esac
    ;;
'user add') exec "$PROGRAM" "${arguments[@]}" --password-stdin <<<"$PASSWORD" ;;
'channel purge' | 'channel delete' | 'user remove' | 'user erase' | 'group delete') exec "$PROGRAM" "${arguments[@]}" --yes ;;
'doctor '*)
    # A warning of this machine is 1, and the answer is there.
    status=0
    "$PROGRAM" "${arguments[@]}" || status=$?
    exit $((status > 1))
    ;;
*) exec "$PROGRAM" "${arguments[@]}" ;;
esac
