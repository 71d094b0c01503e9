#!/bin/sh
# Installs or updates the gateway from a package of pack.sh; run again, it changes nothing. Needs root, no network.
#   install.sh [PACKAGE.tar.gz | FOLDER]   default: the unpacked package that this script lies in
#   install.sh --rollback                  back to the release that ran before
# A release that does not get ready is taken back by itself. DESTDIR=FOLDER prepares an image: files only, nothing is started.
# SYSTEMCTL=PROGRAM stands in for systemctl (tests).
set -eu

root=${DESTDIR:-}
opt=$root/opt/cigale
KEPT_RELEASES=3

say() { echo "cigale: $*"; }
fail() { say "$*" >&2; exit 1; }
is_live() { [ -z "$root" ]; }
control() {
  if [ -n "${SYSTEMCTL:-}" ]; then "$SYSTEMCTL" "$@"; elif is_live; then systemctl "$@"; fi
}

# Copies a file only where it differs, whole or not at all.
put() { # FILE TARGET MODE
  cmp -s "$1" "$root$2" && return
  mkdir -p "$(dirname "$root$2")"
  install -m "$3" "$1" "$root$2.new"
  mv -f "$root$2.new" "$root$2"
}

# What lies outside of /opt/cigale, from the given release.
put_system_files() {
  put "$1/deploy/sysusers.conf" /usr/lib/sysusers.d/cigale.conf 644
  put "$1/deploy/tmpfiles.conf" /usr/lib/tmpfiles.d/cigale.conf 644
  put "$1/deploy/modules-load.conf" /usr/lib/modules-load.d/cigale.conf 644
  put "$1/deploy/60-cigale.rules" /etc/udev/rules.d/60-cigale.rules 644
  put "$1/deploy/cigale.service" /etc/systemd/system/cigale.service 644
  put "$1/deploy/cigale-editor.service" /etc/systemd/system/cigale-editor.service 644
  put "$1/deploy/cigale" /usr/local/bin/cigale 755
  [ -e "$root/etc/cigale/cigale.env" ] || put "$1/deploy/cigale.env" /etc/cigale/cigale.env 640
  if is_live; then
    systemd-sysusers cigale.conf
    systemd-tmpfiles --create cigale.conf
    for module in usbserial cdc_acm; do modprobe "$module" 2>/dev/null || say "no driver $module in this kernel"; done
    udevadm control --reload || true
  fi
  control daemon-reload
}

# One rename: after a power cut, current names the old release or the new one.
point() { # LINK RELEASE
  ln -sfn "releases/$2" "$opt/$1.new"
  mv -fT "$opt/$1.new" "$opt/$1"
}

release_of() { basename "$(readlink "$opt/$1" 2>/dev/null || true)"; }

# Starts what current names. Type=notify: this succeeds once the gateway accepts samples.
start() {
  if ! is_live; then
    mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
    ln -sfn ../cigale.service "$root/etc/systemd/system/multi-user.target.wants/cigale.service"
  fi
  control enable cigale.service >/dev/null 2>&1 || return 1
  control restart cigale.service || return 1
  control try-restart cigale-editor.service || true
}

# Switches to a release that lies in releases/; back when it does not get ready.
run_release() {
  before=$(release_of current)
  put_system_files "$opt/releases/$1"
  if [ "$before" != "$1" ]; then
    point current "$1"
    [ -z "$before" ] || point previous "$before"
  fi
  sync
  if start; then
    say "release $1 is installed"
    return
  fi
  case $before in '' | "$1") fail "release $1 does not get ready: journalctl -u cigale -e" ;; esac
  say "release $1 does not get ready, going back to $before: journalctl -u cigale -e" >&2
  put_system_files "$opt/releases/$before"
  point current "$before"
  rm -f "$opt/previous"
  start || fail "release $before does not get ready either"
  exit 1
}

# The newest releases stay, and the two that the links name.
prune() {
  number=0
  find "$opt/releases" -mindepth 1 -maxdepth 1 -printf '%T@ %f\n' | sort -rn | while read -r _ name; do
    number=$((number + 1))
    [ "$number" -gt "$KEPT_RELEASES" ] || continue
    case $name in "$(release_of current)" | "$(release_of previous)") ;; *) rm -rf "${opt:?}/releases/$name" ;; esac
  done
}

# Puts a package under releases/ and names its release in $release.
take() {
  incoming=$opt/releases/.incoming
  trap 'rm -rf "$incoming"' EXIT
  rm -rf "$incoming"
  mkdir -p "$incoming"
  if [ -d "$1" ]; then
    cp -a "$1/." "$incoming"
  else
    [ ! -f "$1.sha256" ] || (cd "$(dirname "$1")" && sha256sum --quiet -c "$(basename "$1").sha256") || fail "$1 is damaged"
    tar -xzf "$1" -C "$incoming" --strip-components=1 --no-same-owner || fail "$1 is not a package"
  fi
  release=$(cat "$incoming/RELEASE" 2>/dev/null) || fail "$1 is not a package of pack.sh"
  case $release in '' | .* | *[!0-9A-Za-z.-]*) fail "$1 has no proper release name" ;; esac
  if is_live; then
    chown -R root:root "$incoming"
    "$incoming/bin/node" "$incoming/dist/src/main.js" --version >/dev/null || fail "the package does not run on this machine"
  fi
  chmod -R go+rX,go-w "$incoming"
  [ ! -d "$opt/releases/$release" ] || return 0
  sync
  mv -T "$incoming" "$opt/releases/$release"
  # The time of its installation, by which old releases are told from new ones.
  touch "$opt/releases/$release"
}

[ -n "$root" ] || [ "$(id -u)" -eq 0 ] || fail "install.sh needs root: sudo $0"
case ${1:-} in
--rollback)
  to=$(release_of previous)
  if [ -z "$to" ] || [ ! -d "$opt/releases/$to" ]; then fail "there is no earlier release"; fi
  run_release "$to"
  ;;
-*) fail "usage: install.sh [PACKAGE.tar.gz | FOLDER] | --rollback" ;;
*)
  take "${1:-$(cd "$(dirname "$0")/.." && pwd)}"
  run_release "$release"
  prune
  ;;
esac
