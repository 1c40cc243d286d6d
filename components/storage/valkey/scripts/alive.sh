#!/bin/sh
# A server or a sentinel (PORT) answers at all, be it that it is still loading.
set -u
. /etc/valkey/scripts/lib.sh

[ -n "$(ask check "$CHECK_PASSWORD" localhost "$PORT" PING)" ]
