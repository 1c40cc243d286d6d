#!/bin/sh
# Sets up what the platform needs in MinIO: buckets, policies, users. It can run again at any time: it changes nothing,
# or what has changed since. It needs mc, and no other program than date, sleep and the shell.
set -eu

# mc reads the server's address and the root user from here, so neither is in a file or on a command line.
export MC_HOST_platform="https://$ROOT_USER:$ROOT_PASSWORD@$ENDPOINT"

client() { mc --quiet --no-color --disable-pager "$@"; }

wait_for_servers() {
    deadline=$(($(date +%s) + WAIT_SECONDS))
    until answer=$(client admin info platform 2>&1); do
        if [ "$(date +%s)" -ge "$deadline" ]; then
            echo "$ENDPOINT cannot be used within $WAIT_SECONDS seconds: $answer" >&2
            exit 1
        fi
        echo "waiting for $ENDPOINT: $answer"
        sleep 2
    done
}

# user NAME PASSWORD: may do what the policy of that name allows. The password goes through a pipe, where other
# processes cannot see it.
user() {
    client admin policy create platform "$1" "$SETUP_DIR/policy-$1.json"
    printf '%s\n%s\n' "$1" "$2" | client admin user add platform
    client admin policy attach platform "$1" --user "$1"
}

wait_for_servers

client mb --ignore-existing "platform/$BUCKET"
client version enable "platform/$BUCKET"
client ilm rule import "platform/$BUCKET" <"$SETUP_DIR/lifecycle.json"
user file-manager "$FILE_MANAGER_PASSWORD"

if [ -n "${BACKUP_BUCKET:-}" ]; then
    client mb --ignore-existing "platform/$BACKUP_BUCKET"
    user backups "$BACKUP_PASSWORD"
elif client admin user info platform backups >/dev/null 2>&1; then
    # There were backups once. Their bucket stays, but nobody has its keys any more.
    client admin user remove platform backups
fi
