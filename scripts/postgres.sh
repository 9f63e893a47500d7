#!/usr/bin/env bash
# What examples/postgres needs beyond Python: PostgreSQL on this machine, and images where no registry is.
#
#   scripts/postgres.sh
#   PG_IMAGE=knockon-postgres:15 docker-compose -f examples/postgres/compose.yaml up -d --build
#
# Made for a bare Debian machine and root, such as a CI machine; it takes what is there. The packages
# never start a server of their own. Images are made only for an engine whose python:3.11-slim is the
# stand-in of engine.sh; any other has a registry, and postgres:15 in it. What could not be done is
# told, and the tests that need it are skipped. Always exits with 0.
set -uo pipefail

readonly image=knockon-postgres:15
readonly base=python:3.11-slim
readonly step_s_max=240
readonly log=${TMPDIR:-/tmp}/knockon-postgres.log
readonly conf=/etc/postgresql-common/createcluster.conf

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly root example=$root/examples/postgres
PATH=$PATH:/usr/sbin:/sbin

have() { type -P "$1" >/dev/null; }    # a program, not one of our functions

# One step: bounded, quiet, and no question asked.
quietly() { timeout --kill-after=10 "$step_s_max" "$@" >>"$log" 2>&1 </dev/null; }

apt_install() {
  DEBIAN_FRONTEND=noninteractive quietly apt-get install -q -y --no-install-recommends \
    -o DPkg::Lock::Timeout=120 -o Dpkg::Options::=--force-confold "$@"
}

server_folder() { # where the programs of the newest server are
  local found
  found=$(find /usr/lib/postgresql -path '*/bin/postgres' 2>/dev/null | sort -V | tail -n 1)
  [[ -n $found ]] && dirname "$found"
}

server() {
  server_folder >/dev/null && return
  [[ $EUID -eq 0 ]] && have apt-get || { echo "no PostgreSQL, and no root with apt-get" >>"$log"; return 1; }
  quietly apt-get update -q                # a list that stays old may still do
  # Written before the packages come: else they make a cluster, and start it.
  [[ -e $conf ]] || { mkdir -p "${conf%/*}" && echo 'create_main_cluster = false' >"$conf"; }
  apt_install postgresql && server_folder >/dev/null
}

engine_without_registry() {
  have docker && timeout 10 docker version >/dev/null 2>&1 || return 1
  [[ -n $(docker image inspect -f '{{index .Config.Labels "org.knockon.stand-in"}}' "$base" 2>/dev/null) ]]
}

# Debian's own binaries with the libraries that ldd names, on top of the stand-in.
tree() { # FOLDER BIN
  local bin=$2 lib=${2%/bin}/lib version=${2%/bin} files=() libraries
  version=${version##*/}
  files=("$bin"/{postgres,initdb,pg_isready,psql} "$lib"/{plpgsql,dict_snowball,libpqwalreceiver,pgoutput}.so)
  files+=("$(type -P setpriv)" /usr/share/zoneinfo/{UTC,Etc/UTC})
  libraries=$(ldd "${files[@]}" 2>/dev/null | awk '$3 ~ "^/" { print $3 }' | sort -u)
  for file in "${files[@]}" $libraries; do
    case $file in                            # the stand-in's /lib and /bin are links into /usr
      /usr/*) ;;
      *) file=/usr$file ;;
    esac
    mkdir -p "$1${file%/*}" && cp -L "$file" "$1$file" || return
  done
  mkdir -p "$1/usr/share/postgresql" "$1/etc" && cp -RL "/usr/share/postgresql/$version" "$1/usr/share/postgresql/" || return
  printf '%s\n' root:x:0:0:root:/root:/bin/sh postgres:x:70:70::/var/lib/postgresql:/bin/sh \
    nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin >"$1/etc/passwd"
  printf '%s\n' root:x:0: postgres:x:70: nogroup:x:65534: >"$1/etc/group"
}

database_image() {
  docker image inspect "$image" >/dev/null 2>&1 && return
  local folder bin code
  bin=$(server_folder) && folder=$(mktemp -d) || return
  tree "$folder/tree" "$bin" 2>>"$log" && cp "$example/db.sh" "$folder/" && cat >"$folder/Dockerfile" <<END
FROM $base
COPY tree /
COPY db.sh /usr/local/bin/
ENV PATH=$bin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin PGDATA=/var/lib/postgresql/data
STOPSIGNAL SIGINT
EXPOSE 5432
LABEL org.knockon.stand-in=postgres:15
ENTRYPOINT ["db.sh"]
END
  quietly docker build -t "$image" "$folder"
  code=$?
  rm -rf "$folder"
  return $code
}

# What psycopg's own libraries need of the C library and the stand-in lacks: parts of the C library that
# are empty by now, but asked for by name.
old_libraries() { # FOLDER
  ldd "$1"/psycopg_binary/*.so "$1"/psycopg_binary.libs/*.so* 2>/dev/null |
    awk '$1 ~ "^lib(pthread|dl|rt|resolv)[.]" && $3 ~ "^/" { print $3 }' | sort -u |
    xargs -r cp -L -t "$1/psycopg_binary.libs"
}

# psycopg for the Python of the base image, which has no pip: the Dockerfile copies it.
site() {
  [[ -d $example/site/psycopg_pool ]] && return
  local python version
  version=$(timeout 60 docker run --rm "$base" python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])') || return
  for python in "$root/.venv/bin/python3" python3; do
    have "$python" && "$python" -m pip --version >/dev/null 2>&1 || continue
    # Into a folder beside it first: half a folder would be taken for a whole one.
    rm -rf "$example/site.new"
    quietly "$python" -m pip install --disable-pip-version-check --only-binary :all: \
      --python-version "$version" --target "$example/site.new" -c "$root/constraints.txt" \
      -r "$example/requirements.txt" && old_libraries "$example/site.new" && mv "$example/site.new" "$example/site" && return
  done
  return 1
}

step() { # WHAT COMMAND…
  if "${@:2}"; then
    echo "postgres: $1 is ready"
  else
    echo "postgres: $1 could not be had; its tests are skipped. The end of $log:" >&2
    tail -n 3 "$log" | sed 's/^/  | /' >&2
  fi
}

: >"$log" || exit 0
step "PostgreSQL" server
if engine_without_registry; then
  step "the image $image" database_image
  step "psycopg for the image of orders" site
else
  echo "postgres: no images made: no engine here whose $base is a stand-in"
fi
exit 0
