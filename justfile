# What one does here; `just` lists it.

_list:
    @just --list --unsorted

# install the daemon and the client into ~/.cargo/bin
install *args:
    sh contrib/install.sh {{args}}

# everything the tests need, and the tests
test *args:
    sh contrib/test.sh {{args}}

# complain about style, mistakes, and shell scripts
lint:
    cargo fmt --all --check
    cargo clippy --locked --workspace --all-targets -- -D warnings
    RUSTDOCFLAGS='-D warnings' cargo doc --locked --workspace --no-deps --document-private-items

# format the code
format:
    cargo fmt --all

# check that each crate compiles by itself
type-check:
    for crate in crates/* bins/*; do cargo check --locked --all-targets -p "${crate#*/}" || exit; done

# which lines the tests reach (needs cargo-llvm-cov and cargo-nextest)
coverage:
    cargo llvm-cov nextest --locked --workspace

# run the daemon from here
serve *args:
    cargo run --locked -p agentmuxd -- {{args}}

# measure, next to baselines of the same run (docs/performance.md): `just bench --quick health idle-lag`
bench *args:
    cargo bench --locked -p agentmuxd --bench bench -- {{args}}

# make the tables of docs/profiles.md: how the recorded screens are read
profile-table:
    sh tests/profile-table.sh

# make what is released, in dist/ (docs/packages.md)
dist *args:
    sh contrib/dist.sh {{args}}

# so many agents take turns for so many minutes; then nothing may be lost or leaked
soak minutes="10" agents="100":
    cargo bench --locked -p agentmuxd --bench soak -- {{minutes}} {{agents}}

# the tests against the real agents, so many times, and a table of what came of it
live rounds="1":
    sh tests/install-agents.sh || [ $? = 69 ]
    bash tests/live.sh {{rounds}}
