#!/bin/sh
# install-tmux.sh - see that tmux is there; install it where that needs no password.
#
# Exit status: 0 tmux is there; 3 it is not, and the one command that installs it has been printed.
# AGENTMUX_NO_INSTALL=1 forbids installing.
set -eu

have() { command -v "$1" >/dev/null 2>&1; }

# The command of this system's package manager, nothing where there is none that we know.
system_command() {
    if have apt-get; then echo 'apt-get install -y tmux'
    elif have dnf; then echo 'dnf install -y tmux'
    elif have yum; then echo 'yum install -y tmux'
    elif have apk; then echo 'apk add tmux'
    elif have pacman; then echo 'pacman -S --noconfirm tmux'
    elif have zypper; then echo 'zypper --non-interactive install tmux'
    elif have pkg; then echo 'pkg install -y tmux'
    fi
}

give_up() {
    echo "tmux is missing. Install it with: ${1:-your package manager}" >&2
    exit 3
}

# install COMMAND... - its output is kept for the case that it fails.
install() {
    echo "tmux is missing; installing it: $*" >&2
    log=$(mktemp)
    if "$@" </dev/null >"$log" 2>&1 || { refresh "$@" >>"$log" 2>&1 && "$@" </dev/null >>"$log" 2>&1; }; then
        rm -f "$log"
    else
        cat "$log" >&2
        rm -f "$log"
        give_up "$*"
    fi
}

# A new machine may not have the lists of packages yet.
refresh() {
    case " $* " in
        ' sudo -n apt-get '*) sudo -n apt-get update ;;
        ' apt-get '*) apt-get update ;;
        ' sudo -n pacman '*) sudo -n pacman -Sy ;;
        ' pacman '*) pacman -Sy ;;
        *) false ;;
    esac
}

have tmux && exit 0
export DEBIAN_FRONTEND=noninteractive
command=$(system_command)
as_root=${command:+sudo $command}
if [ "$(id -u)" = 0 ]; then as_root=$command; fi
if [ -n "$as_root" ] && ! have "${as_root%% *}"; then as_root="su -c '$command'"; fi

# The commands are split into words on purpose.
# shellcheck disable=SC2086
if [ "${AGENTMUX_NO_INSTALL:-}" = 1 ]; then
    if have brew; then give_up 'brew install tmux'; else give_up "$as_root"; fi
elif [ -n "$command" ] && [ "$(id -u)" = 0 ]; then
    install $command
elif [ -n "$command" ] && have sudo && sudo -n true 2>/dev/null; then
    install sudo -n $command
elif have brew; then
    install brew install tmux
else
    give_up "$as_root"
fi
have tmux || give_up "$as_root"
