#!/bin/bash
# packages.sh - make the packages, install them, use them, and remove them.
#
#   bash tests/packages.sh
#
# What is tested is the packaging: the programs are of a debug build, without their symbols. As root the .deb is
# installed, unless one is there already or AGENTMUX_NO_INSTALL=1; otherwise it is unpacked into a folder.
# What this machine lacks of man, zsh, fish, systemd-analyze, lintian and ruby is skipped, and said.
# Exit status: 0 all held; 1 something did not, and the last line says what.
set -euo pipefail
cd "$(dirname "$0")/.."

claim() { printf -- '- %s\n' "$*"; }
skipped() { printf -- '- skipped: %s is not here\n' "$*"; }
fail() { printf 'packages: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null; }

folder=$(mktemp -d /tmp/agentmux.XXXXXX)
home=$folder/home
tmux=$(command -v tmux)
daemon=''
installed=''
stop_daemon() {
    [ -n "$daemon" ] || return 0
    kill "$daemon" 2>/dev/null || :
    wait "$daemon" 2>/dev/null || :
    daemon=''
    tmux -S "$home/.agentmux/tmux.sock" kill-server 2>/dev/null || :
}
clean_up() {
    stop_daemon
    if [ -n "$installed" ]; then dpkg --purge agentmux >/dev/null; fi
    rm -rf "$folder"
}
trap clean_up EXIT

# turn PROGRAMS - a daemon, one prompt, and its reply.
turn() {
    rm -rf "$home" "$folder/out"
    mkdir "$home"
    # A new home, and none of this shell's settings.
    user=(env -i HOME="$home" PATH="$1:${tmux%/*}:/usr/bin:/bin" LANG=C.UTF-8 AGENTMUX_PORT=0 AGENTMUX_AGENT=demo)
    "${user[@]}" "$1/agentmux" serve </dev/null >"$folder/out" 2>"$folder/err" &
    daemon=$!
    local tries=0
    until [ -s "$folder/out" ]; do
        kill -0 "$daemon" 2>/dev/null || fail "the daemon of $1 did not start: $(cat "$folder/err")"
        tries=$((tries + 1))
        [ "$tries" -le 300 ] || fail "the daemon of $1 does not listen after 30 s: $(cat "$folder/err")"
        sleep 0.1
    done
    local reply
    reply=$("${user[@]}" agentmux run --wait=60 'Answer with PONG.') || fail "no reply through $1"
    [[ $reply == *PONG* ]] || fail "the reply through $1 was: $reply"
}

claim 'the packages are made'
cargo build --quiet --locked -p agentmuxd -p agentmux
target=$(cargo metadata --locked --no-deps --format-version 1 | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
mkdir "$folder/programs"
for program in agentmuxd agentmux; do strip -o "$folder/programs/$program" "$target/debug/$program"; done
dist() { sh contrib/dist.sh --programs "$folder/programs" --url https://example.org/v0 "$1"; }
dist "$folder/dist"
deb=$(echo "$folder"/dist/agentmux_*.deb)
binaries=$(echo "$folder"/dist/agentmux-*-*.tar.gz)
version=$("$folder/programs/agentmux" --version)
version=${version#* }
sources=$folder/dist/agentmux-$version.tar.gz
(cd "$folder/dist" && sha256sum --quiet -c SHA256SUMS)

claim 'the sources give the same, byte for byte'
mkdir "$folder/sources"
tar -xzf "$sources" -C "$folder/sources" --strip-components=1
if [ -z "$(git status --porcelain)" ]; then
    (unset CARGO_TARGET_DIR && cd "$folder/sources" && dist "$folder/from-sources") >/dev/null
    for file in "$binaries" "$deb"; do
        cmp "$file" "$folder/from-sources/${file##*/}" || fail "${file##*/} differs"
    done
else
    skipped 'a work tree without changes'
fi

claim 'the formula names the sources'
grep -qF "url \"https://example.org/v0/agentmux-$version.tar.gz\"" "$folder/dist/agentmux.rb"
grep -qF "sha256 \"$(sha256sum "$sources" | cut -d' ' -f1)\"" "$folder/dist/agentmux.rb"
if have ruby; then ruby -c "$folder/dist/agentmux.rb" >/dev/null; else skipped ruby; fi

if have lintian; then
    claim 'lintian finds nothing'
    # This is no upload to Debian, and who maintains it is said at a release.
    lintian --allow-root --fail-on error,warning --suppress-tags \
        initial-upload-closes-no-bugs,bogus-mail-host,bogus-mail-host-in-debian-changelog "$deb"
else
    skipped lintian
fi

root=''
if [ "$(id -u)" = 0 ] && [ "${AGENTMUX_NO_INSTALL:-}" != 1 ] && ! dpkg-query -W agentmux >/dev/null 2>&1; then
    claim 'the .deb is installed'
    installed=yes
    # Some small machines are set to leave out manuals and documentation.
    dpkg --path-include='/usr/share/*' -i "$deb" >"$folder/dpkg" 2>&1 || fail "dpkg: $(cat "$folder/dpkg")"
else
    claim 'the .deb is unpacked'
    root=$folder/root
    dpkg-deb -x "$deb" "$root"
fi
bin=$root/usr/bin

claim 'the licences of the libraries in the programs go with them'
# One that is built in anyway, one of another licence, and one with a part of others.
for words in '==== tokio ' '==== subtle .*(BSD-3-Clause)' 'Isis Agora Lovecruft' 'UNICODE, INC. LICENSE'; do
    grep -q "$words" "$root/usr/share/doc/agentmux/libraries.txt" || fail "'$words' is not among them"
done

claim 'client and daemon work from there'
turn "$bin"

claim 'so does the example script'
reply=$("${user[@]}" "$root/usr/share/doc/agentmux/examples/agentmux-submit.sh" --prompt 'Answer with PONG.')
[[ $reply == *PONG* ]] || fail "its reply was: $reply"
stop_daemon
[ ! -e "$home/.agentmux/daemon.json" ] || fail 'the daemon did not end as it should'

if have systemd-analyze; then
    claim 'systemd takes the unit'
    sed "s|=/usr/bin/|=$bin/|" "$root/usr/lib/systemd/user/agentmux.service" >"$folder/agentmux.service"
    mkdir "$folder/run"
    said=$(XDG_RUNTIME_DIR=$folder/run systemd-analyze verify --user "$folder/agentmux.service" 2>&1) || fail "systemd-analyze: $said"
    [ -z "$said" ] || fail "systemd-analyze: $said"
else
    skipped systemd-analyze
fi

if have man; then
    claim 'the manual pages are read without a warning'
    for page in "$root"/usr/share/man/man1/agentmux*.1.gz; do
        said=$(LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -l "$page" 2>&1 >"$folder/page") || fail "${page##*/}: $said"
        [ -z "$said" ] || fail "${page##*/}: $said"
        grep -q '^NAME' "$folder/page" || fail "${page##*/} has no name"
    done
    if [ -n "$installed" ]; then man -w agentmux agentmuxd agentmux-run >/dev/null; fi
else
    skipped man
fi

claim 'the manual tells all that agentmuxd takes'
page=$(gzip -dc "$root/usr/share/man/man1/agentmuxd.1.gz" | sed 's/\\-/-/g')
for word in $("$bin/agentmuxd" --help | sed -n 's/^.*agentmuxd \[\{0,1\}\([a-z-]*\).*$/\1/p'); do
    [[ $page == *"$word"* ]] || fail "agentmuxd.1 does not tell $word"
done

claim 'bash completes'
# shellcheck disable=SC2016
completed=$(bash --norc -c '
    . "$1" && complete -p agentmux >/dev/null || exit
    COMP_WORDS=(agentmux atta) COMP_CWORD=1
    _agentmux agentmux atta agentmux
    echo "${COMPREPLY[*]}"' bash "$root/usr/share/bash-completion/completions/agentmux")
[ "$completed" = attach ] || fail "atta is completed to '$completed'"
if have zsh; then
    claim 'zsh completes'
    # shellcheck disable=SC2016
    zsh -f -c 'fpath=("$1" $fpath); autoload -U compinit && compinit -D -u && [[ $_comps[agentmux] = _agentmux ]] && zsh -n "$1/_agentmux"' \
        zsh "$root/usr/share/zsh/vendor-completions" || fail 'zsh does not'
else
    skipped zsh
fi
if have fish; then
    claim 'fish completes'
    # shellcheck disable=SC2016
    completed=$("${user[@]}" fish --no-config -c 'source $argv[1]; complete -C "agentmux atta"' \
        "$root/usr/share/fish/vendor_completions.d/agentmux.fish")
    [[ $completed == attach* ]] || fail "atta is completed to '$completed'"
else
    skipped fish
fi

if [ -n "$installed" ]; then
    claim 'removed, it leaves nothing but what is yours'
    files=$(dpkg -L agentmux | while read -r path; do if [ ! -d "$path" ]; then echo "$path"; fi; done)
    [ -n "$files" ] || fail 'dpkg lists no files'
    dpkg --purge agentmux >"$folder/dpkg" 2>&1 || fail "dpkg: $(cat "$folder/dpkg")"
    installed=''
    while read -r path; do [ ! -e "$path" ] || fail "$path is left"; done <<<"$files"
    [ ! -e /usr/share/doc/agentmux ] || fail '/usr/share/doc/agentmux is left'
    [ -s "$home/.agentmux/token" ] || fail "the user's state is gone"
fi

claim 'the programs of the .tar.gz work, wherever it is unpacked'
mkdir "$folder/local"
tar -xzf "$binaries" -C "$folder/local" --strip-components=1
turn "$folder/local/bin"
stop_daemon
