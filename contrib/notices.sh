#!/bin/sh
# notices.sh - print the licences of the libraries that are part of the programs, for who passes the programs on.
#
# They are read from the sources that cargo has built the libraries from.
# Exit status: 0 all are printed; 1 a library has none, or its sources are not to be found.
set -eu

cd "$(dirname "$0")/.."
fail() { printf 'notices: %s\n' "$*" >&2; exit 1; }

target=$(rustc -vV | sed -n 's/^host: //p')
metadata=$(cargo metadata --locked --format-version 1 --filter-platform "$target")
folders=$(printf '%s\n' "$metadata" | tr ',' '\n' | sed -n 's/^"manifest_path":"\(.*\)\/Cargo\.toml"$/\1/p')
# Those of the workspace have a path in parentheses; so has a mark of what was listed before.
libraries=$(cargo tree --locked -p agentmuxd -p agentmux --target "$target" -e normal,no-proc-macro --prefix none \
    --format '{p} {l}' | sed '/ (/d; /^$/d' | LC_ALL=C sort -u)

# sources NAME VERSION - the folder of a library; `cargo vendor` leaves the version out of its name.
sources() { printf '%s\n' "$folders" | grep -x -e ".*/$1-$2" -e ".*/$1" || fail "where is $1 $2?"; }

# licences FOLDER - its files about licences. Where MIT is offered beside Apache-2.0, it is taken.
licences() {
    other=''
    if [ -e "$1/LICENSE-MIT" ]; then other='LICENSE-A*'; fi
    find "$1" -type f \( -name 'LICEN[CS]E*' -o -name 'COPYING*' -o -name 'COPYRIGHT*' -o -name 'NOTICE*' \) \
        ! -name "$other" | LC_ALL=C sort
}

echo 'agentmuxd and agentmux contain the standard library of Rust (MIT OR Apache-2.0, https://github.com/rust-lang/rust)'
echo 'and these libraries, each with its licence.'
printf '%s\n' "$libraries" | while read -r name version licence; do
    folder=$(sources "$name" "${version#v}")
    files=$(licences "$folder")
    [ -n "$files" ] || fail "$folder has no licence"
    printf '\n\n==== %s %s (%s)\n' "$name" "${version#v}" "$licence"
    printf '%s\n' "$files" | while read -r file; do
        echo
        cat "$file"
    done
done
