#!/bin/sh
# Starts a sentinel. It keeps what it knows in its configuration file, which lives as long as its pod.
set -u
. /etc/valkey/scripts/lib.sh

CONFIG=/run/valkey/sentinel.conf

# current: the server that the other sentinels name; without them, the one that says it is primary; otherwise the first.
current() {
	host=$(named | sed -n '1s/^ *[0-9]* *//p')
	if [ -n "$host" ]; then
		echo "$host"
		return
	fi
	for server in $SERVERS; do
		case $(replication "$server") in
		*role:master*)
			echo "$server"
			return
			;;
		esac
	done
	echo "${SERVERS%% *}"
}

configure() {
	umask 077
	server=$(current)
	log "monitoring $server as the primary"
	{
		cat /etc/valkey/config/sentinel.conf
		# The same identity for every pod of this name: a new pod takes the place of the one before.
		echo "sentinel myid $(printf %s "$SELF" | sha1sum | cut -c 1-40)"
		echo "sentinel announce-ip $SELF"
		echo "sentinel announce-port $SENTINEL_PORT"
		echo "sentinel sentinel-user peer"
		echo "sentinel sentinel-pass $PEER_PASSWORD"
		echo "sentinel monitor valkey $server $SERVER_PORT $QUORUM"
		echo "sentinel auth-user valkey sentinel"
		echo "sentinel auth-pass valkey $SENTINEL_PASSWORD"
		cat /etc/valkey/config/monitor.conf
	} >"$CONFIG.new"
	mv "$CONFIG.new" "$CONFIG"
}

# follow_certificate PID: a sentinel reads its certificate only when it starts. It ends, and is started again with what
# it knew; one after the other, so that there is always a majority.
follow_certificate() {
	loaded=$(certificate)
	while sleep "$CERTIFICATE_INTERVAL"; do
		[ "$(certificate)" = "$loaded" ] && continue
		sleep $((${POD_NAME##*-} * 3 * CERTIFICATE_INTERVAL))
		log "the certificate was renewed: starting again"
		kill -TERM "$1"
		return
	done
}

[ -s "$CONFIG" ] || configure
valkey-server "$CONFIG" --sentinel &
sentinel=$!
follow_certificate "$sentinel" &
follower=$!
supervise "$sentinel"
status=$?
kill "$follower" 2>/dev/null
exit "$status"
