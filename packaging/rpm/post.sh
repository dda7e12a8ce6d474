# Whether a new service starts is the system's policy (presets); an upgrade restarts it in postun.sh.
if [ "$1" -eq 1 ] && [ -x /usr/bin/systemctl ]; then
    systemctl --no-reload preset parlour.socket parlour.service || :
fi
