#!/usr/bin/env bash
# Puts a file into a comment of a pull request (GitHub) or merge request (GitLab). The file's first line, a comment in
# HTML, is what a later run knows its own comment by: that one is updated in place.
#
#   comment.sh FILE
#
#   COMMENT_TOKEN   may write comments (required)
#   GitHub          GITHUB_API_URL, GITHUB_REPOSITORY, PULL_REQUEST (its number); COMMENT_AUTHOR, whom the token is of
#                   (default: github-actions[bot])
#   GitLab          CI_API_V4_URL, CI_PROJECT_ID, CI_MERGE_REQUEST_IID
set -euo pipefail
shopt -s inherit_errexit # a failed request must not look like a list without our comment
file=${1:?names the file to show}
: "${COMMENT_TOKEN:?may write comments}"
marker=$(head -n 1 "$file")
[[ $marker == '<!-- '*' -->' ]] || { echo "comment: the first line of $file is no comment in HTML" >&2; exit 1; }

# Only a comment of the token's own user counts: anybody can write one that begins with the marker.
if [[ -n ${PULL_REQUEST:-} ]]; then
  comments=$GITHUB_API_URL/repos/$GITHUB_REPOSITORY/issues/$PULL_REQUEST/comments
  single=$GITHUB_API_URL/repos/$GITHUB_REPOSITORY/issues/comments
  change=PATCH header="Authorization: Bearer $COMMENT_TOKEN"
  author='.user.login' self=${COMMENT_AUTHOR:-github-actions[bot]}
else
  comments=$CI_API_V4_URL/projects/$CI_PROJECT_ID/merge_requests/${CI_MERGE_REQUEST_IID:?there is no merge request}/notes
  single=$comments
  change=PUT header="PRIVATE-TOKEN: $COMMENT_TOKEN"
  author='.author.username' self=
fi

# api METHOD URL: sends standard input if there is any to send, and prints the answer. The token is no argument, as other
# users of the machine see those.
api() {
  local more=()
  [[ $1 == GET ]] || more=(--header 'Content-Type: application/json' --data-binary @-)
  [[ $1 == POST ]] || more+=(--retry 3) # what is sent again must not make a second comment
  curl --silent --show-error --fail-with-body --max-time 60 --request "$1" \
    --config <(printf 'header = "%s"\n' "$header") "${more[@]}" "$2"
}

[[ -n $self ]] || self=$(api GET "$CI_API_V4_URL/user" | jq --raw-output .username)

# find_comment prints the number of our comment, or nothing.
find_comment() {
  local page answer id
  for ((page = 1; ; page++)); do
    answer=$(api GET "$comments?per_page=100&page=$page")
    id=$(jq --raw-output --arg marker "$marker" --arg self "$self" \
      "[.[] | select($author == \$self and (.body | startswith(\$marker)))][0].id // empty" <<<"$answer")
    if [[ -n $id || $(jq length <<<"$answer") -lt 100 ]]; then
      echo "$id"
      return
    fi
  done
}

id=$(find_comment)
body=$(jq --null-input --rawfile body "$file" '{body: $body}')
if [[ -n $id ]]; then
  api "$change" "$single/$id" <<<"$body" >/dev/null
  echo "comment: updated" >&2
else
  api POST "$comments" <<<"$body" >/dev/null
  echo "comment: made" >&2
fi
