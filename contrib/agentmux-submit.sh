#!/bin/sh
# agentmux-submit.sh - submit one prompt to agentmux, wait for the reply, and print it.
#
#   agentmux-submit.sh --prompt TEXT [--output FILE] [--timeout S] [--url URL] [--token TOKEN]
#   agentmux-submit.sh < prompt.txt
#
# A new session gets the prompt. The reply goes to stdout, or to FILE; a FILE that the agent itself has written
# meanwhile stays as it is. S is how many seconds to wait, 600 by default; the agent then goes on.
# --url and --token are needed only for a daemon that is not this user's own; AGENTMUX_URL, AGENTMUX_TOKEN and
# AGENTMUX_TIMEOUT do the same, and keep the token out of the list of processes. --poll-interval is accepted and
# does nothing: the daemon says when the turn has ended.
# Exit status, as `agentmux run --wait`: 0 done, 1 error, 2 usage, 3 busy or at a limit, 4 the agent asks
# something, 5 it failed, 124 timed out.
set -eu

usage() { sed -n '2,14s/^# \{0,1\}//p' "$0"; exit 0; }
fail() { printf 'agentmux-submit: %s\n' "$1" >&2; exit "${2:-1}"; }

# point_at URL - the daemon that is meant, for the client.
point_at() {
    case $1 in
        http://?*) authority=${1#http://} ;;
        *) fail "the URL must begin with http://, not '$1'; for another machine, forward the port with ssh -L" 2 ;;
    esac
    authority=${authority%/}
    case $authority in
        */*) fail "the URL must be http://HOST:PORT, not '$1'" 2 ;;
        \[*\]*) AGENTMUX_HOST=${authority%%\]*} rest=${authority#*\]}; AGENTMUX_HOST=${AGENTMUX_HOST#\[} ;;
        *) AGENTMUX_HOST=${authority%%:*}; rest=${authority#"$AGENTMUX_HOST"} ;;
    esac
    AGENTMUX_PORT=${rest#:}
    AGENTMUX_PORT=${AGENTMUX_PORT:-80}
    export AGENTMUX_HOST AGENTMUX_PORT
}

prompt='' output='' timeout=${AGENTMUX_TIMEOUT:-600} url=${AGENTMUX_URL:-}
while [ $# -gt 0 ]; do
    case $1 in
        --help | -h) usage ;;
        --prompt | --output | --timeout | --url | --token | --poll-interval)
            [ $# -ge 2 ] || fail "$1 needs a value" 2 ;;
        *) fail "unknown option '$1'" 2 ;;
    esac
    case $1 in
        --prompt) prompt=$2 ;;
        --output) output=$2 ;;
        --timeout) timeout=$2 ;;
        --url) url=$2 ;;
        --token) export AGENTMUX_TOKEN="$2" ;;
    esac
    shift 2
done
case $timeout in
    '' | . | *[!0-9.]* | *.*.*) fail "the timeout must be a number of seconds, not '$timeout'" 2 ;;
esac
if [ -n "$url" ]; then point_at "$url"; fi

client=$(dirname "$0")/agentmux
[ -x "$client" ] || client=agentmux
command -v "$client" >/dev/null 2>&1 || fail 'agentmux is not installed beside this script or in PATH'

set -- run "--wait=$timeout"
if [ -n "$prompt" ]; then set -- "$@" -- "$prompt"; fi
if [ -z "$output" ]; then exec "$client" "$@"; fi

# A name that begins with - is no option of what follows.
case $output in /*) ;; *) output=./$output ;; esac
# Said now, not when the agent has worked for nothing.
if [ -e "$output" ]; then [ -w "$output" ] && [ ! -d "$output" ]; else [ -w "${output%/*}/" ]; fi ||
    fail "cannot write $output"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
: >"$work/start"

# In the background, for a signal to this script to end the client too; it would have no stdin there.
exec 3<&0
"$client" "$@" <&3 >"$work/reply" &
client=$!
trap 'kill "$client" || :; exit 130' INT
trap 'kill "$client" || :; exit 143' TERM HUP
wait "$client" || exit

# Nothing but a whole reply gets into the file, and nothing where the agent has written it.
if [ -z "$(find -H "$output" -newer "$work/start" -size +0 2>/dev/null)" ]; then
    cat "$work/reply" >"$output"
fi
