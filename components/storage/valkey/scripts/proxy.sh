#!/bin/sh
# Starts HAProxy. It reads the authorities only when it starts: it ends when they change, and is started again. TRUST is
# the file that they are in.
set -u
. /etc/valkey/scripts/lib.sh

# follow_authorities PID: each proxy ends at a moment of its own, so that the others go on.
follow_authorities() {
	loaded=$(cksum <"$TRUST")
	while sleep "$CERTIFICATE_INTERVAL"; do
		[ "$(cksum <"$TRUST")" = "$loaded" ] && continue
		sleep "$(($(echo "$POD_NAME" | cksum | cut -d ' ' -f 1) % 60))"
		log "the authorities have changed: starting again"
		kill -TERM "$1"
		return
	done
}

haproxy -db -f /etc/haproxy/config/haproxy.cfg &
proxy=$!
follow_authorities "$proxy" &
follower=$!
supervise "$proxy"
status=$?
kill "$follower" 2>/dev/null
exit "$status"
