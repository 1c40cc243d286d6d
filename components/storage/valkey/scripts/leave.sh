#!/bin/sh
# Before a server is stopped: if it is the primary, another one takes over first, with everything that was written.
set -u
. /etc/valkey/scripts/lib.sh

[ -n "$SENTINELS" ] || exit 0
case $(replication localhost) in *role:master*) ;; *) exit 0 ;; esac

# Clients wait from here on: what is not acknowledged is not lost. The pause outlasts this script.
ask maintenance "$MAINTENANCE_PASSWORD" localhost "$SERVER_PORT" CLIENT PAUSE 60000 WRITE

# in_step: there are replicas, and all of them have what the primary has.
in_step() {
	replication localhost | awk -F '[:,=]' '
		/^master_repl_offset:/ { offset = $2 }
		/^slave[0-9]+:/ { for (i = 1; i < NF; i++) if ($i == "offset") { replicas[$(i + 1)]; n++ } }
		END { for (r in replicas) if (r + 0 < offset + 0) exit 1; exit n ? 0 : 1 }'
}

tries=0
while ! in_step && [ "$tries" -lt 20 ]; do
	tries=$((tries + 1))
	sleep 0.5
done

# hand_over asks the sentinels for another primary, until one of them agrees.
hand_over() {
	for sentinel in $SENTINELS; do
		[ "$(ask maintenance "$MAINTENANCE_PASSWORD" "$sentinel" "$SENTINEL_PORT" SENTINEL FAILOVER valkey)" = OK ] && return
	done
	return 1
}

# A replica that has just come into step can be elected when the sentinels have heard of it, ten seconds later at most.
asked=
tries=0
while [ "$tries" -lt 30 ]; do
	[ -n "$asked" ] || { hand_over && asked=yes; }
	server=$(primary)
	if [ -n "$server" ] && [ "$server" != "$SELF" ]; then exit 0; fi
	tries=$((tries + 1))
	sleep 0.5
done
