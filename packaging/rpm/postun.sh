if [ -x /usr/bin/systemctl ]; then
    systemctl daemon-reload || :
    # The running server is taken over by the new program when it reloads, and goes on if that cannot start.
    if [ "$1" -ge 1 ]; then systemctl try-reload-or-restart parlour.service || :; fi
fi
# The data, the certificates and their keys stay in /var/lib/parlour.
