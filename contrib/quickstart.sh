#!/bin/sh
# quickstart.sh - build agentmux and show it at work: one prompt, typed into an agent in tmux, and its reply.
#
#   sh contrib/quickstart.sh [--release]
#
# The agent is the built-in demo, which needs no account. The daemon that is started for it has a state folder
# and a port of its own and is gone afterwards; a daemon of yours is not touched.
# Exit status: 0 the reply came; 3 something is missing that you have to install, by the command that is
# printed; 1 no reply came.
set -eu

cd "$(dirname "$0")/.."
profile=debug
case "${1:-}" in
    '') ;;
    --release) profile=release ;;
    *) sed -n '2,9s/^# \{0,1\}//p' contrib/quickstart.sh; exit 2 ;;
esac

say() { printf '%s\n' "$*"; }
fail() { printf 'quickstart: %s\n' "$*" >&2; exit 1; }

if ! command -v cargo >/dev/null 2>&1; then
    say 'cargo is missing. Install it with: curl -sSf https://sh.rustup.rs | sh' >&2
    exit 3
fi
sh contrib/install-tmux.sh

say "Building ($profile); the first time takes a minute or two ..."
release=''
if [ "$profile" = release ]; then release=--release; fi
cargo build --quiet --locked ${release:+"$release"} -p agentmuxd -p agentmux </dev/null
metadata=$(cargo metadata --locked --no-deps --format-version 1)
bin=$(printf '%s\n' "$metadata" | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')/$profile

# Nothing of the user's settings: a folder for all that this daemon has, an empty configuration, a free port.
for name in $(env | sed -n 's/^\(AGENTMUX_[A-Z_]*\)=.*/\1/p'); do unset "$name"; done
folder=$(mktemp -d /tmp/agentmux.XXXXXX)
daemon=''
stop() {
    trap '' EXIT
    if [ -n "$daemon" ]; then
        kill "$daemon" 2>/dev/null || :
        wait "$daemon" 2>/dev/null || :
    fi
    tmux -S "$folder/state/tmux.sock" kill-server 2>/dev/null || :
    rm -rf "$folder"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
mkdir "$folder/state" "$folder/work"
echo '{}' >"$folder/config.json"
export HOME="${HOME:-$folder/work}"
export AGENTMUX_STATE_DIR="$folder/state" AGENTMUX_CONFIG_FILE="$folder/config.json"
export AGENTMUX_PORT=0 AGENTMUX_AGENT=demo AGENTMUX_WORKDIR="$folder/work"

"$bin/agentmuxd" </dev/null >"$folder/out" 2>"$folder/err" &
daemon=$!
tries=0
until [ -s "$folder/out" ]; do
    kill -0 "$daemon" 2>/dev/null || fail "the daemon did not start: $(cat "$folder/err")"
    tries=$((tries + 1))
    [ "$tries" -le 100 ] || fail "the daemon does not listen after 10 s: $(cat "$folder/err")"
    sleep 0.1 2>/dev/null || sleep 1
done

prompt='Are you there? Answer with PONG.'
say "Asking the demo agent in tmux: $prompt"
reply=$("$bin/agentmux" run --wait=60 "$prompt") || fail 'no reply came'
say "Its reply: $reply"
stop

cat <<END

It works. With a real agent (claude or codex, installed and logged in):

  export PATH="$bin:\$PATH"
  AGENTMUX_AGENT=claude agentmux serve      # or codex; leave it running, in a terminal of its own
  agentmux run --wait "What does this project do?" --workdir "\$PWD"
  agentmux attach                           # look over its shoulder; detach with Ctrl-b d
END
