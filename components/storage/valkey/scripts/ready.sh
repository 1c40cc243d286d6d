#!/bin/sh
# A server serves: as the primary, or as a replica that is in step. A sentinel is ready when it can elect a primary: it
# knows the other sentinels, and a replica that can be elected.
set -u
. /etc/valkey/scripts/lib.sh

if [ "$PORT" = "$SENTINEL_PORT" ]; then
	case $(ask check "$CHECK_PASSWORD" localhost "$PORT" SENTINEL CKQUORUM valkey) in OK*) ;; *) exit 1 ;; esac
	ask check "$CHECK_PASSWORD" localhost "$PORT" SENTINEL REPLICAS valkey | tr -d '\r' |
		awk '/^(slave|replica)-priority$/ { getline; if ($0 > 0) found = 1 } END { exit !found }'
	exit
fi
[ "$(ask check "$CHECK_PASSWORD" localhost "$PORT" PING)" = PONG ] || exit 1
case $(replication localhost) in *role:master* | *master_link_status:up*) exit 0 ;; esac
exit 1
