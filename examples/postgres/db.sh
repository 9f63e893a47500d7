#!/bin/sh
# PostgreSQL from this machine's packages, as the official image runs it: a database, a user and a
# password from POSTGRES_DB, POSTGRES_USER and POSTGRES_PASSWORD, made at the first start. The
# stand-in image of scripts/postgres.sh starts with it, and so does knockon's local runtime.
#
# KNOCKON_DATA_DIR, else PGDATA: where its files go. PORT, BIND: where it listens (5432, everywhere).
set -eu

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
if [ ! -x "$bin/postgres" ]; then
  echo "db: PostgreSQL is not installed; scripts/postgres.sh or apt-get install postgresql brings it" >&2
  exit 1
fi
: "${POSTGRES_USER:=postgres}" "${POSTGRES_PASSWORD:?db: POSTGRES_PASSWORD is not set}"
: "${POSTGRES_DB:=$POSTGRES_USER}" "${BIND:=*}" "${PORT:=5432}"
home=${KNOCKON_DATA_DIR:-${PGDATA:-/var/lib/postgresql/data}}/postgres
mkdir -p "$home"

# PostgreSQL refuses to run as root, and whom it runs as may not look into the folders above its own
# (a fleet's folder is private). So it gets its folder as an open descriptor, which needs no way there.
as=
if [ "$(id -u)" = 0 ]; then
  as="setpriv --reuid postgres --regid postgres --clear-groups"
  chown postgres "$home"
  exec 7<"$home"
  home=/proc/self/fd/7
fi

quoted() { printf '%s' "$2" | sed "s/$1/$1$1/g; s/^/$1/; s/\$/$1/"; }

# Made beside and renamed when it is whole: who is killed in the middle begins again. What is not
# written to disk yet does not matter here; from the first real start on, fsync is on.
if ! $as test -d "$home/data"; then
  $as rm -rf "$home/data.new"
  $as "$bin/initdb" -D "$home/data.new" -U "$POSTGRES_USER" -E UTF8 --locale=C --no-sync \
    --auth-local=trust --auth-host=scram-sha-256 >/dev/null
  $as "$bin/postgres" --single -F -D "$home/data.new" postgres >/dev/null <<SQL
ALTER USER $(quoted '"' "$POSTGRES_USER") PASSWORD $(quoted "'" "$POSTGRES_PASSWORD")
CREATE DATABASE $(quoted '"' "$POSTGRES_DB")
SQL
  $as sh -c 'echo "host all all all scram-sha-256" >>"$0/data.new/pg_hba.conf" && mv "$0/data.new" "$0/data"' "$home"
fi

# Of a server that was killed, the processes that it had for its clients end a moment later. Until then
# PostgreSQL refuses to start; their common segment of shared memory is the last in its pid file.
segment=$($as sed -n '7s/.* //p' "$home/data/postmaster.pid" 2>/dev/null) || segment=
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  grep -Eq "^ *[-0-9]+ +${segment:-none} +[0-9]+ +[0-9]+ +[0-9]+ +[0-9]+ +[1-9]" /proc/sysvipc/shm 2>/dev/null || break
  sleep 0.1
done

# SIGTERM would wait for every client to leave; SIGINT sends them away, and is the stop signal of the
# image. Where SIGTERM comes to the whole process group, this one hears it too and passes it on as SIGINT.
if [ -n "${KNOCKON_DATA_DIR:-}" ]; then
  (
    trap 'kill -INT $$; exit 0' TERM
    sleep 1000000000 &
    wait
  ) &
fi

# No socket file and no shared memory outside its folder: a SIGKILL leaves nothing behind. After one,
# syncfs takes the place of an fsync of each of a thousand files, which would cost a second or two. The
# pid file that is left is no hindrance, since its process is gone.
exec $as "$bin/postgres" -D "$home/data" -p "$PORT" -c "listen_addresses=$BIND" \
  -c unix_socket_directories= -c dynamic_shared_memory_type=mmap -c recovery_init_sync_method=syncfs \
  -c shared_buffers=16MB -c max_connections=50
