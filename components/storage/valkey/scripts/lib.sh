# What the scripts share. Those of the servers and the sentinels are told by the environment:
#   SELF       the own host name, by which the others know this pod
#   SERVERS    the host names of all servers, the first one being primary when nothing is known
#   SENTINELS  the host names of all sentinels; empty when there are none
#   QUORUM     how many sentinels are a majority

TLS=/etc/valkey/tls
SERVER_PORT=6379
SENTINEL_PORT=26379

log() { echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) $*"; }

# ask USER PASSWORD HOST PORT COMMAND...: the answer to one command, within two seconds. The password is not an
# argument of a process. Valkey reads the first variable, Redis the second.
ask() {
	ask_user=$1 ask_password=$2 ask_host=$3 ask_port=$4
	shift 4
	VALKEYCLI_AUTH=$ask_password REDISCLI_AUTH=$ask_password timeout 2 valkey-cli --no-auth-warning \
		--tls --cacert "$TLS/ca.crt" -h "$ask_host" -p "$ask_port" --user "$ask_user" "$@" 2>/dev/null
}

# replication HOST: what a server says about its replication.
replication() { ask check "$CHECK_PASSWORD" "$1" "$SERVER_PORT" INFO replication | tr -d '\r'; }

# named: how many sentinels name which server, the most named first. Errors and names of no server do not count.
named() {
	for sentinel in $SENTINELS; do
		[ "$sentinel" = "$SELF" ] && continue
		host=$(ask check "$CHECK_PASSWORD" "$sentinel" "$SENTINEL_PORT" SENTINEL get-master-addr-by-name valkey | head -n 1)
		case " $SERVERS " in *" ${host:-none} "*) echo "$host" ;; esac
	done | sort | uniq -c | sort -rn
}

# primary: the server that a majority of the sentinels names, or nothing.
primary() {
	named | while read -r count host; do
		if [ "$count" -ge "$QUORUM" ]; then echo "$host"; fi
	done
}

# certificate: changes when the certificate does.
certificate() { cat "$TLS/tls.crt" "$TLS/ca.crt" | cksum; }

# supervise PID: waits for a process to end, passes on a request to end, and returns its exit code.
supervise() {
	trap 'kill -TERM "$1" 2>/dev/null' TERM INT
	trap 'kill -USR1 "$1" 2>/dev/null' USR1 # how HAProxy's image asks it to end once its clients have
	wait "$1"
	status=$?
	while kill -0 "$1" 2>/dev/null; do # a signal ended the wait
		wait "$1"
		status=$?
	done
	return "$status"
}
