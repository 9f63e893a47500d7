#!/usr/bin/env bash
# etcd for examples/etcd: the program, and an image of it where none can be pulled.
#
#   scripts/etcd.sh [FOLDER]     put etcd and etcdctl into FOLDER (default: /usr/local/bin)
#   ETCD_IMAGE=knockon-etcd:3.4 docker-compose -f examples/etcd/compose.yaml up -d --build
#
# Made for a bare Debian machine and root, such as a CI machine; it takes what is there. The packages
# are unpacked, not installed, so no service is started. What cannot be had is told, and the tests that
# need it are skipped. Always exits with 0.
set -uo pipefail

readonly folder=${1:-/usr/local/bin}
readonly image=knockon-etcd:3.4
readonly step_s_max=180
work=$(mktemp -d "${TMPDIR:-/tmp}/knockon-etcd-XXXXXX") || exit 0
readonly work log=$work/etcd.log
trap 'rm -rf "$work"' EXIT

PATH=$folder:$PATH

have() { type -P "$1" >/dev/null; }    # a program, not one of our functions

# One step: bounded, quiet, and no question asked.
quietly() { timeout --kill-after=10 "$step_s_max" "$@" >>"$log" 2>&1 </dev/null; }

program() {
  have etcd && return
  if ! have apt-get || ! have dpkg; then
    echo "this script knows only Debian's packages" >>"$log"
    return 1
  fi
  chmod 755 "$work"                        # apt reads as a user of its own
  cd "$work" || return
  quietly apt-get download etcd-server etcd-client || {
    [[ $EUID -eq 0 ]] && quietly apt-get update -q
    quietly apt-get download etcd-server etcd-client || return
  }
  local package
  for package in etcd-*.deb; do quietly dpkg -x "$package" "$work/unpacked" || return; done
  quietly install -D -m 755 -t "$folder" "$work"/unpacked/usr/bin/etcd{,ctl} && have etcd
}

# A Go program needs next to nothing: itself, the libraries that ldd names, a way to look up names.
make_image() {
  have docker && quietly docker version || return
  docker image inspect "$image" >/dev/null 2>&1 && return
  local tree=$work/tree file id
  mkdir -p "$tree"/{etc,tmp,usr/local/bin} && chmod 1777 "$tree/tmp" || return
  echo "hosts: files dns" >"$tree/etc/nsswitch.conf"
  echo "root:x:0:0:root:/:/" >"$tree/etc/passwd"
  for file in etcd etcdctl; do
    if have $file; then cp -L "$(type -P $file)" "$tree/usr/local/bin/" || return; fi
  done
  for file in $(ldd "$(type -P etcd)" 2>/dev/null | grep -o '/[^ ]*'); do
    mkdir -p "$tree/$(dirname "$file")" && cp -L "$file" "$tree$file" || return
  done
  # The tag is given last, and only to an image in which etcd has run.
  id=$(tar -C "$tree" -c . | timeout "$step_s_max" docker import -c 'ENV PATH=/usr/local/bin' \
    -c 'CMD ["etcd"]' - 2>>"$log") &&
    quietly docker run --rm "$id" etcd --version && quietly docker tag "$id" "$image"
}

told() { # WHAT CONSEQUENCE
  echo "etcd: $1 could not be had; $2" >&2
  tail -n 3 "$log" | sed 's/^/  | /' >&2
}

: >"$log"
if program; then
  echo "etcd: $(etcd --version | head -n 1) is ready: $(type -P etcd)"
  if make_image; then
    echo "etcd: the image is ready: export ETCD_IMAGE=$image"
  else
    told "the image $image" "compose pulls one instead, where it can."
  fi
else
  told "etcd" "the tests of examples/etcd are skipped."
fi
exit 0
