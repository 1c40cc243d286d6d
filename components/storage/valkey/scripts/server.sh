#!/bin/sh
# Starts a server in the role that it has now, and has it follow the renewal of its certificate.
set -u
. /etc/valkey/scripts/lib.sh

CONFIG=/run/valkey/valkey.conf
# How many seconds a server that the sentinels still take for the primary leaves them to elect another one, and a
# replica that was not in step yet leaves a primary to come back.
PATIENCE=60

# others_have_data: another server is primary, or has been in step with one, or is loading what it had.
others_have_data() {
	for server in $SERVERS; do
		[ "$server" = "$SELF" ] && continue
		state=$(ask check "$CHECK_PASSWORD" "$server" "$SERVER_PORT" INFO replication persistence | tr -d '\r')
		case $state in
		*loading:1* | *role:master*) return 0 ;;
		esac
		offset=$(echo "$state" | sed -n 's/^slave_repl_offset://p')
		[ "${offset:-0}" -gt 1 ] && return 0 # a replica that never was in step reports 0 or 1
	done
	return 1
}

# choose sets PRIMARY. A server that was the primary until it ended has lost what it had, or some of it: were it to
# come up as the primary again, the replicas would drop the difference. So it waits for another one to be elected, as
# long as there is one with data.
choose() {
	begin=$(date +%s)
	alone=0
	reported=
	while :; do
		PRIMARY=$(primary)
		if [ -n "$PRIMARY" ] && [ "$PRIMARY" != "$SELF" ]; then return; fi
		if [ -z "$PRIMARY" ]; then
			reason="no majority of the sentinels names a primary"
		elif others_have_data; then
			alone=0
			reason="the sentinels still take this server for the primary, and another one has its data"
			if [ $(($(date +%s) - begin)) -ge "$PATIENCE" ]; then
				log "nobody else was elected within ${PATIENCE} s"
				return
			fi
		else
			alone=$((alone + 1))
			reason="this server is the primary; looking whether another one has data"
			if [ "$alone" -ge 3 ]; then return; fi
		fi
		if [ "$reason" != "$reported" ]; then
			log "waiting: $reason"
			reported=$reason
		fi
		sleep 1
	done
}

configure() {
	umask 077
	cat /etc/valkey/config/valkey.conf >"$CONFIG"
	echo "replica-announce-ip $SELF" >>"$CONFIG"
	[ -z "$SENTINELS" ] && return
	echo "masterauth $REPLICATION_PASSWORD" >>"$CONFIG"
	if [ "$PRIMARY" = "$SELF" ]; then
		log "starting as the primary"
	else
		log "starting as a replica of $PRIMARY"
		echo "replicaof $PRIMARY $SERVER_PORT" >>"$CONFIG"
		echo "replica-priority 0" >>"$CONFIG"
	fi
}

# become_eligible: a replica can be elected once it has been in step. Before that it has nothing, or something old.
become_eligible() {
	begin=$(date +%s)
	while [ $(($(date +%s) - begin)) -lt "$PATIENCE" ]; do
		case $(replication localhost) in *role:master* | *master_link_status:up*) break ;; esac
		sleep 1
	done
	answer=$(configure_running replica-priority 100)
	log "may be elected: $answer"
}

# configure_running PARAMETER VALUE...: changes the configuration of the running server.
configure_running() {
	ask maintenance "$MAINTENANCE_PASSWORD" localhost "$SERVER_PORT" CONFIG SET "$@"
}

# follow_certificate: the server reads the files again when it is told their names again.
follow_certificate() {
	while sleep "$CERTIFICATE_INTERVAL"; do
		current=$(certificate)
		[ "$current" = "$loaded" ] && continue
		answer=$(configure_running tls-cert-file "$TLS/tls.crt" tls-key-file "$TLS/tls.key" tls-ca-cert-file "$TLS/ca.crt")
		if [ "$answer" = OK ]; then
			log "the renewed certificate is in use"
			loaded=$current
		else
			log "the renewed certificate was not accepted: $answer"
		fi
	done
}

# accompany is what goes on beside the server.
accompany() {
	[ -n "$SENTINELS" ] && become_eligible
	follow_certificate
}

[ -n "$SENTINELS" ] && choose
configure
loaded=$(certificate)
accompany &
companion=$!
valkey-server "$CONFIG" &
supervise $!
status=$?
kill "$companion" 2>/dev/null
exit "$status"
