#!/bin/sh
# agentmux-submit.sh - submit one prompt to agentmux, wait for the reply, and print it.
#
#   agentmux-submit.sh --prompt TEXT [--output FILE] [--timeout S] [--url URL] [--token TOKEN]
#   agentmux-submit.sh < prompt.txt
#
# A new session gets the prompt; the reply goes to stdout, or to FILE. For cron jobs and schedulers.
# --url and --token are needed only for a daemon that is not this user's own; AGENTMUX_TOKEN does the same and
# keeps the token out of the list of processes. --poll-interval is accepted and does nothing: the daemon says
# when the turn has ended.
# Exit status, as `agentmux run --wait`: 0 done, 3 busy, 4 the agent asks something, 5 it failed, 124 timed
# out.
set -eu

usage() { sed -n '2,12s/^# \{0,1\}//p' "$0" >&2; exit 2; }
fail() { printf 'agentmux-submit: %s\n' "$1" >&2; exit "${2:-1}"; }

# point_at URL - the daemon that is meant, for the client.
point_at() {
    case $1 in
        http://*) authority=${1#http://} ;;
        *) fail "--url must begin with http://, not '$1'" 2 ;;
    esac
    authority=${authority%%/*}
    case $authority in
        \[*) AGENTMUX_HOST=${authority%%\]*}; AGENTMUX_HOST=${AGENTMUX_HOST#\[}; rest=${authority#*\]} ;;
        *) AGENTMUX_HOST=${authority%%:*}; rest=${authority#"$AGENTMUX_HOST"} ;;
    esac
    AGENTMUX_PORT=${rest#:}
    AGENTMUX_PORT=${AGENTMUX_PORT:-80}
    export AGENTMUX_HOST AGENTMUX_PORT
}

prompt='' given='' output='' timeout=600
while [ $# -gt 0 ]; do
    case $1 in
        --help | -h) usage ;;
        --prompt | --output | --timeout | --url | --token | --poll-interval)
            [ $# -ge 2 ] || fail "$1 needs a value" 2 ;;
        *) fail "unknown option '$1'" 2 ;;
    esac
    case $1 in
        --prompt) prompt=$2 given=yes ;;
        --output) output=$2 ;;
        --timeout) timeout=$2 ;;
        --url) point_at "$2" ;;
        --token) export AGENTMUX_TOKEN="$2" ;;
    esac
    shift 2
done

client=$(dirname "$0")/agentmux
[ -x "$client" ] || client=agentmux
command -v "$client" >/dev/null 2>&1 || fail 'agentmux is not installed beside this script or in PATH'

set -- run "--wait=$timeout"
if [ -n "$given" ]; then set -- "$@" -- "$prompt"; fi
if [ -z "$output" ]; then exec "$client" "$@"; fi

# The file appears with the whole reply in it, or not at all.
status=0
"$client" "$@" >"$output.$$" || status=$?
if [ "$status" = 0 ]; then mv "$output.$$" "$output"; else rm -f "$output.$$"; fi
exit "$status"
