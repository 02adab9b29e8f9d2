#!/bin/sh
# Installs the real agent CLIs that tests/live.rs drives, at the versions that the profiles were checked with.
#
#   sh tests/install-agents.sh [DIR]      default: .agents in this repository
#
# DIR/bin/claude and DIR/bin/codex are links to the native programs. What is there at the right version stays as
# it is. Needs npm and about 800 MB.
#
# Exit status: 0 installed, 1 failed, 69 npm is missing or does not reach its registry.
set -u

claude_version=2.1.330
codex_version=0.169.0

root=$(cd "$(dirname "$0")/.." && pwd) || exit 1
dir=${1:-$root/.agents}
mkdir -p "$dir/bin" || exit 1
dir=$(cd "$dir" && pwd) || exit 1

unreachable() {
    echo "skipped: the agents for the live tests are not installed: $1" >&2
    exit 69
}

failed() {
    echo "install-agents.sh: $1" >&2
    exit 1
}

# npm does not run here what packages want to run on installation: the native programs need none of it.
# install AGENT PACKAGE VERSION PROGRAM
install() {
    tree=$dir/npm/$1 program=$dir/npm/$1/node_modules/$4
    if [ "$(cat "$tree/.installed" 2>/dev/null)" = "$3" ] && [ -x "$dir/bin/$1" ]; then
        return
    fi
    command -v npm >/dev/null 2>&1 || unreachable 'npm is not there'
    echo "installing $2@$3" >&2
    rm -rf "$tree" && mkdir -p "$tree" && echo '{"private":true}' >"$tree/package.json" || exit 1
    if ! npm --prefix "$tree" install --ignore-scripts --no-audit --no-fund --loglevel=error \
        --fetch-retries=2 --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=10000 \
        "$2@$3" >"$tree/npm.log" 2>&1; then
        cat "$tree/npm.log" >&2
        if grep -Eq 'ENOTFOUND|EAI_|ECONN|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|E50[234]' \
            "$tree/npm.log"; then
            unreachable 'npm does not reach its registry'
        fi
        failed "npm could not install $2@$3"
    fi
    [ -x "$program" ] || failed "$2@$3 has no program for $(uname -sm)"
    ln -sfn "$program" "$dir/bin/$1" || exit 1
    proves_to_start "$1" >"$tree/start.log" 2>&1 || { cat "$tree/start.log" >&2; failed "$1 does not start"; }
    echo "$3" >"$tree/.installed"
}

# Asked for its version, with a home of its own.
proves_to_start() {
    home=$(mktemp -d) || return 1
    HOME=$home "$dir/bin/$1" --version
    status=$?
    rm -rf "$home"
    return $status
}

case $(uname -s)-$(uname -m) in
Linux-x86_64) platform=linux-x64 triple=x86_64-unknown-linux-musl ;;
Linux-aarch64) platform=linux-arm64 triple=aarch64-unknown-linux-musl ;;
Darwin-arm64) platform=darwin-arm64 triple=aarch64-apple-darwin ;;
Darwin-x86_64) platform=darwin-x64 triple=x86_64-apple-darwin ;;
*) failed "the agents have no programs for $(uname -sm)" ;;
esac

install claude @anthropic-ai/claude-code "$claude_version" "@anthropic-ai/claude-code-$platform/claude"
install codex @openai/codex "$codex_version" "@openai/codex-$platform/vendor/$triple/bin/codex"
