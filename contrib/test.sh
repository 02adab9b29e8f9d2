#!/bin/sh
# test.sh - everything the tests need, and the tests.
#
#   sh contrib/test.sh [ARGUMENT...]    arguments go to cargo-nextest, or to cargo test where that is absent
#
# Installs tmux where that needs no password, and the real agent CLIs into .agents where npm and PyPI can be reached
# (about 2.5 GB); without one its tests are skipped and say so. AGENTMUX_NO_INSTALL=1 installs nothing.
set -eu

cd "$(dirname "$0")/.."
if ! command -v cargo >/dev/null 2>&1; then
    echo 'cargo is missing. Install it with: curl -sSf https://sh.rustup.rs | sh' >&2
    exit 3
fi
sh contrib/install-tmux.sh
if [ "${AGENTMUX_NO_INSTALL:-}" != 1 ]; then
    # 69: what some need is not there, or does not answer; it has said so.
    sh tests/install-agents.sh || [ $? = 69 ]
fi

if cargo nextest --version >/dev/null 2>&1; then
    # The examples in the documentation first: nextest does not run them, and its summary comes last.
    cargo test --quiet --locked --workspace --doc
    exec cargo nextest run --locked --workspace --no-fail-fast "$@"
fi
exec cargo test --locked --workspace --no-fail-fast "$@"
