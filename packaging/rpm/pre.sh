# For those systems whose rpm does not do so itself with /usr/lib/sysusers.d/parlour.conf.
getent group parlour >/dev/null || groupadd -r parlour
getent passwd parlour >/dev/null ||
    useradd -r -g parlour -d /var/lib/parlour -s /usr/sbin/nologin -c "Parlour chat server" parlour
exit 0
