#!/usr/bin/env bash
# Looks for what has been changed by hand since a stack's last `up`, and changes nothing. Ends as `platform drift` does: 3
# when there is something.
#
#   STACK                the stack (required)
#   KUBECONFIG_CONTENT   a kubeconfig; default: the cluster of KUBECONFIG, or what the stack says
#   PLATFORM             the program (default: bin/platform)
set -euo pipefail
: "${STACK:?names the stack}"
dir=$(mktemp --directory)
trap 'rm -rf "$dir"' EXIT
if [[ -n ${KUBECONFIG_CONTENT:-} ]]; then
  (umask 077 && printf '%s\n' "$KUBECONFIG_CONTENT" >"$dir/kubeconfig")
  export KUBECONFIG=$dir/kubeconfig
fi
unset KUBECONFIG_CONTENT

status=0
"${PLATFORM:-bin/platform}" drift --stack "$STACK" >"$dir/drift.txt" || status=$?
cat "$dir/drift.txt"
if [[ -n ${GITHUB_STEP_SUMMARY:-} ]]; then
  { printf '### Drift of `%s`\n\n' "$STACK"; sed 's/^/    /' "$dir/drift.txt"; } >>"$GITHUB_STEP_SUMMARY"
fi
exit "$status"
