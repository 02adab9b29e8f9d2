#!/bin/sh
# Installs the real agent CLIs that tests/live.rs drives, at the versions that the profiles were checked with.
#
#   sh tests/install-agents.sh [DIR [AGENT...]]      default: .agents in this repository, and all of them
#
# DIR/bin/AGENT starts each. What is there at the right version stays as it is. Needs npm, for Aider also Python
# 3.10 to 3.12, and about 2.5 GB. An agent that cannot be installed is skipped, loudly, and so are its tests.
#
# Exit status: 0 all installed, 1 failed, 2 usage, 69 some skipped: what they need is not there or does not answer.
# Functions are called, and versions assigned, by the agent's name.
# shellcheck disable=SC2154,SC2317
set -u

claude_version=2.1.330
codex_version=0.169.0
gemini_version=0.61.0
opencode_version=1.18.33
qwen_version=0.24.4
copilot_version=1.0.102
aider_version=0.86.2
# For the agents that are programs for Node, where the machine has none of 22 or later.
node_version=22.23.3

root=$(cd "$(dirname "$0")/.." && pwd) || exit 1
dir=${1:-$root/.agents}
if [ $# -gt 0 ]; then shift; fi
mkdir -p "$dir/bin" "$dir/npm" || exit 1
dir=$(cd "$dir" && pwd) || exit 1
outcome=0

# Each agent is installed in a subshell that ends by one of these, or has succeeded.
skip() {
    echo "SKIPPED: $agent is not installed and will not be tested: $1" >&2
    exit 69
}

fail() {
    echo "install-agents.sh: $agent: $1" >&2
    exit 1
}

# The log of a failed installation, and whether it failed for want of a network.
give_up_on() {
    cat "$2" >&2
    if grep -Eq 'ENOTFOUND|EAI_|ECONN|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|E50[234]|Failed to establish|Temporary failure|Read timed out' "$2"; then
        skip "the registry does not answer for $1"
    fi
    fail "could not install $1"
}

# npm_install TREE PACKAGE VERSION: npm does not run here what packages want to run on installation.
npm_install() {
    tree=$dir/npm/$1
    command -v npm >/dev/null 2>&1 || skip 'npm is not there'
    echo "installing $2@$3" >&2
    rm -rf "$tree" && mkdir -p "$tree" && echo '{"private":true}' >"$tree/package.json" || exit 1
    npm --prefix "$tree" install --ignore-scripts --no-audit --no-fund --loglevel=error \
        --fetch-retries=2 --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=10000 \
        "$2@$3" >"$tree/npm.log" 2>&1 || give_up_on "$2@$3" "$tree/npm.log"
}

# A native program: a link.
native() {
    [ -x "$1" ] || fail "it has no program for $(uname -sm)"
    ln -sfn "$1" "$dir/bin/$agent" && proves_to_start
}

# A program for Node: a script that becomes it.
for_node() {
    [ -f "$1" ] || fail "$1 is missing"
    node=$(node_22) || exit
    rm -f "$dir/bin/$agent"
    printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$node" "$1" >"$dir/bin/$agent" || exit 1
    chmod +x "$dir/bin/$agent" && proves_to_start
}

node_22() {
    found=$(command -v node) && [ "$("$found" -p 'parseInt(process.versions.node)')" -ge 22 ] && echo "$found" && return
    own=$dir/npm/node-$node_version/node_modules/node-$os-$cpu/bin/node
    [ -x "$own" ] || npm_install "node-$node_version" "node-$os-$cpu" "$node_version" || exit
    echo "$own"
}

# Asked for its version, with a home of its own.
proves_to_start() {
    home=$(mktemp -d) || exit 1
    (cd "$home" && HOME=$home "$dir/bin/$agent" --version) >"$home.log" 2>&1
    status=$?
    [ "$status" = 0 ] || cat "$home.log" >&2
    rm -rf "$home" "$home.log"
    [ "$status" = 0 ] || fail 'it is installed, but does not start'
}

claude() {
    npm_install claude @anthropic-ai/claude-code "$claude_version"
    native "$dir/npm/claude/node_modules/@anthropic-ai/claude-code-$os-$cpu/claude"
}

codex() {
    npm_install codex @openai/codex "$codex_version"
    native "$dir/npm/codex/node_modules/@openai/codex-$os-$cpu/vendor/$triple/bin/codex"
}

gemini() {
    npm_install gemini @google/gemini-cli "$gemini_version"
    for_node "$dir/npm/gemini/node_modules/@google/gemini-cli/bundle/gemini.js"
}

opencode() {
    npm_install opencode opencode-ai "$opencode_version"
    native "$dir/npm/opencode/node_modules/opencode-$os-$cpu/bin/opencode"
}

qwen() {
    npm_install qwen @qwen-code/qwen-code "$qwen_version"
    package=$dir/npm/qwen/node_modules/@qwen-code/qwen-code
    # It comes without the right to be executed; Qwen Code complains about that on its screen.
    chmod +x "$package"/vendor/ripgrep/*/rg || fail 'its rg is not where it was'
    for_node "$package/cli-entry.js"
}

copilot() {
    npm_install copilot @github/copilot "$copilot_version"
    native "$dir/npm/copilot/node_modules/@github/copilot-$os-$cpu/copilot"
}

aider() {
    tree=$dir/aider
    python=$(python_for_aider) || skip 'it needs Python 3.10, 3.11 or 3.12 with venv (Debian: python3-venv)'
    echo "installing aider-chat==$aider_version" >&2
    rm -rf "$tree"
    "$python" -m venv "$tree" || fail "$python makes no virtual environment"
    "$tree/bin/pip" install --quiet --disable-pip-version-check --retries 2 \
        "aider-chat==$aider_version" >"$tree/pip.log" 2>&1 || give_up_on "aider-chat==$aider_version" "$tree/pip.log"
    native "$tree/bin/aider"
}

python_for_aider() {
    for python in python3 python3.12 python3.11 python3.10; do
        "$python" -c 'import sys, venv, ensurepip; sys.exit(not (3, 10) <= sys.version_info < (3, 13))' 2>/dev/null &&
            command -v "$python" && return
    done
    return 1
}

case $(uname -s)-$(uname -m) in
Linux-x86_64) os=linux cpu=x64 triple=x86_64-unknown-linux-musl ;;
Linux-aarch64) os=linux cpu=arm64 triple=aarch64-unknown-linux-musl ;;
Darwin-arm64) os=darwin cpu=arm64 triple=aarch64-apple-darwin ;;
Darwin-x86_64) os=darwin cpu=x64 triple=x86_64-apple-darwin ;;
*)
    echo "SKIPPED: the agents have no programs for $(uname -sm)" >&2
    exit 69
    ;;
esac

if [ $# = 0 ]; then set -- claude codex gemini opencode qwen copilot aider; fi
for agent in "$@"; do
    case $agent in
    claude | codex | gemini | opencode | qwen | copilot | aider) ;;
    *)
        echo "install-agents.sh: no agent is called $agent" >&2
        exit 2
        ;;
    esac
    eval "version=\$${agent}_version"
    if [ "$(cat "$dir/bin/.$agent" 2>/dev/null)" = "$version" ] && [ -x "$dir/bin/$agent" ]; then continue; fi
    rm -f "$dir/bin/.$agent"
    ("$agent") && echo "$version" >"$dir/bin/.$agent"
    status=$?
    if [ "$status" != 0 ] && [ "$outcome" != 1 ]; then outcome=$status; fi
done
exit "$outcome"
