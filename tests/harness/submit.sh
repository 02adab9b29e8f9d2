#!/bin/sh
# What users of the original have in their cron jobs, written anew from its description: POST /run, poll /idle until
# it says idle three times in a row, then print what GET /capture shows.
#
# usage: submit.sh [--prompt TEXT | < FILE] [--output FILE] [--timeout S] [--url URL] [--token T] [--poll-interval S]
set -eu

prompt='' output='' timeout=300 url=http://127.0.0.1:8765 token='' interval=2
while [ $# -gt 0 ]; do
    case $1 in
    --prompt) prompt=$2 ;;
    --output) output=$2 ;;
    --timeout) timeout=$2 ;;
    --url) url=$2 ;;
    --token) token=$2 ;;
    --poll-interval) interval=$2 ;;
    *) echo "unknown option $1" >&2 && exit 2 ;;
    esac
    shift 2
done
[ -n "$prompt" ] || prompt=$(cat)

# The prompt as a JSON string.
quoted=$(printf '%s' "$prompt" | sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' | awk '{ printf "%s%s", end, $0; end = "\\n" }')

call() {
    curl -sS -H "Authorization: Bearer $token" "$@"
}

answer=$(call -d "{\"text\":\"$quoted\"}" "$url/run")
case $answer in
*'"ok":true'* | *'"ok": true'*) ;;
*) echo "$answer" >&2 && exit 1 ;;
esac

deadline=$(($(date +%s) + timeout))
idle=0
while [ "$idle" -lt 3 ]; do
    [ "$(date +%s)" -lt "$deadline" ] || { echo 'timed out' >&2 && exit 124; }
    sleep "$interval"
    case $(call "$url/idle") in
    *'"idle":true'* | *'"idle": true'*) idle=$((idle + 1)) ;;
    *) idle=0 ;;
    esac
done

content=$(call "$url/capture?lines=500" |
    sed -e 's/.*"content": *"\(.*\)"}$/\1/' -e 's/\\n/\
/g' -e 's/\\"/"/g' -e 's/\\\\/\\/g')
if [ -n "$output" ]; then
    printf '%s\n' "$content" >"$output"
else
    printf '%s\n' "$content"
fi
