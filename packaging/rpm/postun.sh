if [ -x /usr/bin/systemctl ]; then
    systemctl daemon-reload || :
    # The sockets stay open, so that connections wait for the new server.
    if [ "$1" -ge 1 ]; then systemctl try-restart parlour.service || :; fi
fi
# The data, the certificates and their keys stay in /var/lib/parlour.
