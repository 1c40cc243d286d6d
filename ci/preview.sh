#!/usr/bin/env bash
# Previews a stack for a change under review, and tells the reviewers: in one comment for each stack, which the next run
# updates, and in a file with the whole report. Ends as `platform preview` does: 4 when the change would replace or delete
# what holds data, or breaks a policy, and does not say that it is meant.
#
#   STACK         the stack (required)
#   DESCRIPTION   the text of the change. A line "Intended: NAME" allows what the preview would otherwise refuse of NAME
#   OUT           directory of what is written (default: preview): comment.md, report.md, log.txt
#   PLUGINS       engine plugins (default: builtin, which need neither a download nor an account in AWS)
#   FAIL_ON       what fails, separated by commas (default: protected,policy)
#   PLATFORM      the program (default: bin/platform)
#
# What comment.sh reads says where the comment goes; without a token for it there is none.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
: "${STACK:?names the stack}"
out=${OUT:-preview}
mkdir -p "$out"

# The description is anybody's text. It is only ever read, and each name is one argument of its own.
allow=()
while IFS= read -r name; do
  allow+=("--allow=$name")
done < <(tr -d '\r' <<<"${DESCRIPTION:-}" | sed -nE 's/^[[:space:]]*Intended:[[:space:]]*`?([^`[:space:]]+)`?[[:space:]]*$/\1/p')

status=0
"${PLATFORM:-bin/platform}" preview --stack "$STACK" --plugins "${PLUGINS:-builtin}" --format markdown \
  --out "$out/report.md" --fail-on "${FAIL_ON:-protected,policy}" "${allow[@]}" \
  >"$out/comment.md" 2> >(tee "$out/log.txt" >&2) || status=$?

# What reviewers read must not be that of an older commit, whatever has happened.
if [[ ! -s $out/comment.md ]]; then
  printf '<!-- platform-preview stack=%s -->\n**Preview of `%s`: failed.** There is no report; the log of the job says why.\n' \
    "$STACK" "$STACK" >"$out/comment.md"
fi
if ((status == 4)); then
  printf '\n\n---\n\nThe job fails because of this (`--fail-on %s`). Where it is meant that something is replaced or deleted, say so in the description, with a line `Intended: NAME` for each.\n' \
    "${FAIL_ON:-protected,policy}" >>"$out/comment.md"
fi
if [[ -n ${GITHUB_STEP_SUMMARY:-} ]]; then
  cat "$out/comment.md" >>"$GITHUB_STEP_SUMMARY"
fi
if [[ -n ${COMMENT_TOKEN:-} ]]; then
  "$here/comment.sh" "$out/comment.md" || { echo "preview: the comment could not be written" >&2; ((status)) || status=1; }
else
  echo "preview: no COMMENT_TOKEN, as in a fork: the report is in $out only" >&2
fi
exit "$status"
