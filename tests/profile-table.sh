#!/bin/sh
# Puts what `agentmux profile test` says of the recorded screens into docs/profiles.md, between its two marks.
set -eu
cd "$(dirname "$0")/.."
# The built-in profiles: no file of the user's has a say.
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
cargo build --locked --quiet -p agentmux
client="${CARGO_TARGET_DIR:-target}/debug/agentmux"
# A wrong screen is a number in the table, not an error here.
HOME="$home" "$client" profile test --markdown tests/screens >"$home/table" || [ -s "$home/table" ]
awk -v table="$home/table" '
    /^<!-- end of table -->$/ { inside = 0 }
    !inside { print }
    /^<!-- table -->$/ { inside = 1; print ""; while ((getline line < table) > 0) print line; print "" }
' docs/profiles.md >"$home/profiles.md"
cat "$home/profiles.md" >docs/profiles.md
