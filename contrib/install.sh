#!/bin/sh
# install.sh - install agentmux from these sources: the daemon and the client, into ~/.cargo/bin.
#
#   sh contrib/install.sh [ARGUMENT...]    arguments go to cargo install, such as --root FOLDER
#
# Installs tmux, too, where that needs no password; AGENTMUX_NO_INSTALL=1 forbids it.
# Exit status: 0 both are installed; 3 something has to be installed first, by the command that is printed; other: it
# failed, and cargo has said why.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
if ! command -v cargo >/dev/null 2>&1; then
    echo 'cargo is missing. Install it with: curl -sSf https://sh.rustup.rs | sh' >&2
    exit 3
fi
sh "$root/contrib/install-tmux.sh"
for program in agentmuxd agentmux; do
    cargo install --locked --path "$root/bins/$program" "$@"
done
