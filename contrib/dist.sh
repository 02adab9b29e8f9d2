#!/bin/sh
# dist.sh - make what is released: packages of the programs, and the sources.
#
#   sh contrib/dist.sh [--url URL] [--programs FOLDER] [OUT]
#
# OUT (dist) gets:
#   agentmux-VERSION-TARGET.tar.gz   programs, manual, completions, service, documentation; to be unpacked over /usr/local
#   agentmux_VERSION-1_ARCH.deb      the same for Debian and its kin, on Linux
#   agentmux-VERSION.tar.gz          the sources of the last commit
#   agentmux.rb                      a Homebrew formula that builds them
#   SHA256SUMS
# URL is the folder that OUT will be published as, for the formula; without it the formula takes the sources from OUT.
# With --programs, agentmuxd and agentmux are taken from FOLDER instead of being built. DEBFULLNAME and DEBEMAIL say who
# maintains the .deb.
# Outside a git clone, sources and formula are left out. The same commit, toolchain and SOURCE_DATE_EPOCH (the commit's
# time, unless set) give the same bytes.
# Exit status: 0 all is made; 3 something has to be installed first, by the command that is printed; 1 it failed.
set -eu

# So that OUT and FOLDER are meant from where the caller is.
here=$(pwd)
cd "$(dirname "$0")/.."
root=$(pwd -P)

usage() { sed -n '2,18s/^# \{0,1\}//p' contrib/dist.sh; }
wrong_usage() { usage >&2; exit 2; }
note() { printf 'dist: %s\n' "$*" >&2; }
fail() { note "$@"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# from_here PATH
from_here() { case $1 in /*) echo "$1" ;; *) echo "$here/$1" ;; esac; }

url='' programs='' out=$root/dist
while [ $# -gt 0 ]; do
    case $1 in
        --url | --programs) [ $# -ge 2 ] || wrong_usage ;;
    esac
    case $1 in
        --url) url=${2%/}; shift ;;
        --programs) programs=$(from_here "$2"); shift ;;
        --help | -h) usage; exit 0 ;;
        -*) wrong_usage ;;
        *) out=$(from_here "$1") ;;
    esac
    shift
done

if ! have cargo; then
    note 'cargo is missing. Install it with: curl -sSf https://sh.rustup.rs | sh'
    exit 3
fi

in_git() { have git && [ "$(git rev-parse --show-toplevel 2>/dev/null)" = "$root" ]; }

# at SECONDS FORMAT - GNU's date takes seconds as -d @N, BSD's as -r N.
at() { LC_ALL=C date -u -d "@$1" "$2" 2>/dev/null || LC_ALL=C date -u -r "$1" "$2"; }

sha256() { if have sha256sum; then sha256sum "$@"; else shasum -a 256 "$@"; fi; }

# pack FOLDER - the folder as a tar.gz in which nothing but names, modes and contents differs.
pack() {
    chmod -R u=rwX,go=rX "$1"
    find "$1" -exec env TZ=UTC0 touch -t "$(at "$SOURCE_DATE_EPOCH" +%Y%m%d%H%M.%S)" {} +
    case $(tar --version) in
        *GNU*) owner='--owner=root:0 --group=root:0' ;;
        *) owner='--uid 0 --gid 0 --uname root --gname root' ;;
    esac
    # The owner is several words on purpose; macOS would add its attributes as files.
    # shellcheck disable=SC2086
    (cd "$(dirname "$1")" && find "$(basename "$1")" | LC_ALL=C sort |
        COPYFILE_DISABLE=1 tar -c -f - --format=ustar $owner --no-recursion -T -) | gzip -9n
}

# for_prefix PREFIX - a text of contrib, for programs and examples that are installed below PREFIX.
for_prefix() {
    sed "s|%h/\.cargo/|$1/|; s|\$HOME/\.cargo/|$1/|g; s|\$HOME/agentmux/contrib/|$1/share/doc/agentmux/examples/|"
}

# unit PREFIX
unit() {
    cat <<'END'
# To start it, now and from boot on:
#
#   systemctl --user enable --now agentmux
#   loginctl enable-linger
#
# Without lingering systemd ends everything of yours, the agents too, when your last session ends.

END
    sed -n '/^\[Unit\]/,$p' contrib/agentmux.service | for_prefix "$1"
}

debian_changelog() {
    printf 'agentmux (%s-1) unstable; urgency=medium\n\n  * Version %s; changelog.gz tells what is new.\n\n' \
        "$version" "$version"
    printf ' -- %s  %s\n' "$maintainer" "$(at "$SOURCE_DATE_EPOCH" '+%a, %d %b %Y %H:%M:%S +0000')"
}

version=$(cargo pkgid --locked -p agentmux)
version=${version##*[#@]}
target=$(rustc -vV | sed -n 's/^host: //p')
maintainer="${DEBFULLNAME:-The agentmux authors} <${DEBEMAIL:-agentmux@localhost}>"
if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
    # In an archive of the sources, all files have the commit's time.
    SOURCE_DATE_EPOCH=$(if in_git; then git log -1 --format=%ct; else date -u -r Cargo.toml +%s; fi)
fi
export SOURCE_DATE_EPOCH
metadata=$(cargo metadata --locked --no-deps --format-version 1)
release=$(printf '%s\n' "$metadata" | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')/release

if [ -z "$programs" ]; then
    note 'building; this takes some minutes'
    # The folder of the builder's cargo would be in the programs' messages.
    RUSTFLAGS="--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo${RUSTFLAGS:+ $RUSTFLAGS}" \
        cargo build --locked --release -p agentmuxd -p agentmux
    programs=$release
fi

# What all packages have. Cargo.toml of the client tells what of it the .deb takes.
name=agentmux-$version-$target
stage=$release/package
tree=$stage/tree
rm -rf "$stage"
mkdir -p "$tree/bin" "$tree/share/doc/agentmux/docs" "$tree/share/doc/agentmux/examples" \
    "$tree/share/man/man1" "$tree/share/bash-completion/completions" "$tree/share/zsh/site-functions" \
    "$tree/share/fish/vendor_completions.d"
cp "$programs/agentmuxd" "$programs/agentmux" "$tree/bin/"
for program in agentmuxd agentmux; do
    [ "$("$tree/bin/$program" --version)" = "$program $version" ] || fail "$programs/$program is not of version $version"
done
"$tree/bin/agentmux" man "$tree/share/man/man1"
cp docs/agentmuxd.1 "$tree/share/man/man1/"
gzip -9n "$tree"/share/man/man1/*.1
"$tree/bin/agentmux" completions bash >"$tree/share/bash-completion/completions/agentmux"
"$tree/bin/agentmux" completions zsh >"$tree/share/zsh/site-functions/_agentmux"
"$tree/bin/agentmux" completions fish >"$tree/share/fish/vendor_completions.d/agentmux.fish"
cp README.md CHANGELOG.md LICENSE "$tree/share/doc/agentmux/"
sh contrib/notices.sh >"$tree/share/doc/agentmux/libraries.txt"
cp docs/*.md "$tree/share/doc/agentmux/docs/"
cp contrib/agentmux-submit.sh "$tree/share/doc/agentmux/examples/"
for_prefix /usr/local <contrib/agentmux.cron >"$tree/share/doc/agentmux/examples/agentmux.cron"

mkdir -p "$out"
out=$(cd "$out" && pwd -P)
rm -f "$out"/agentmux-*.tar.gz "$out"/agentmux_*.deb "$out/agentmux.rb" "$out/SHA256SUMS"
missing=''

case $target in *-linux-*)
    mkdir "$stage/debian"
    unit /usr >"$stage/debian/agentmux.service"
    for_prefix /usr <contrib/agentmux.cron >"$stage/debian/agentmux.cron"
    debian_changelog | gzip -9n >"$stage/debian/changelog.Debian.gz"
    gzip -9n <CHANGELOG.md >"$stage/debian/changelog.gz"
    if ! cargo deb --version >/dev/null 2>&1; then
        missing='cargo install --locked cargo-deb'
    elif ! have dpkg-shlibdeps; then
        missing='apt-get install dpkg-dev'
    else
        cargo deb --quiet --locked --no-build --no-strip -p agentmux --maintainer "$maintainer" --output "$out" >/dev/null
    fi
    mkdir -p "$tree/lib/systemd/user"
    unit /usr/local >"$tree/lib/systemd/user/agentmux.service"
    ;;
*-apple-*)
    cp contrib/macos-launchagent.plist "$tree/share/doc/agentmux/examples/"
    ;;
esac
mv "$tree" "$stage/$name"
pack "$stage/$name" >"$out/$name.tar.gz"

if in_git; then
    [ -z "$(git status --porcelain)" ] || note 'there are changes that are not committed: the sources are without them'
    sources=agentmux-$version.tar.gz
    git archive --format=tar --prefix="agentmux-$version/" HEAD | gzip -9n >"$out/$sources"
    sum=$(sha256 "$out/$sources")
    # brew audits ask for a page of the project: the place of the release is one.
    if [ -n "$url" ]; then homepage="s|@HOMEPAGE@|$url|"; else homepage='/@HOMEPAGE@/d'; fi
    sed "$homepage; s|@URL@|${url:-file://$out}/$sources|; s|@SHA256@|${sum%% *}|" contrib/homebrew/agentmux.rb.in >"$out/agentmux.rb"
else
    note 'no git clone: sources and formula are left out'
fi

(cd "$out" && sha256 agentmux* >SHA256SUMS)

echo
printf '%-56s %12s\n' "in $out" bytes
for file in "$stage/$name/bin/agentmuxd" "$stage/$name/bin/agentmux" "$out"/agentmux*; do
    printf '%-56s %12d\n' "$(basename "$file")" "$(wc -c <"$file")"
done
if [ -n "$missing" ]; then
    note "the .deb is missing; what makes it is installed by: $missing"
    exit 3
fi
