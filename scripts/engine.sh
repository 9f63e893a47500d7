#!/usr/bin/env bash
# An engine that answers, a compose command, and the image that our Dockerfiles start from.
#
#   scripts/engine.sh up      use the engine that answers; else install and start one
#   scripts/engine.sh down    stop the engine that `up` started, and no other
#
# Made for a bare Debian machine with no init system and no registry for images, such as
# a CI machine; on any other it uses what is there. Exit codes: 0 ready, 1 it went wrong
# (the end of the log is shown), 2 this machine is not one where we can install an engine.
set -euo pipefail

readonly image=python:3.11-slim
readonly log=/var/log/knockon-engine.log
readonly pid_file=/run/docker.pid          # dockerd's own, so that no second one starts
readonly containerd_pid_file=/run/docker/containerd/containerd.pid
readonly mark=started-by=knockon           # a label of the daemon: how we know ours again
readonly start_s_max=120
readonly stop_s_max=60

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PATH=$PATH:/usr/sbin:/sbin                 # dockerd and iptables; `su` leaves these out

say() { printf 'engine: %s\n' "$*"; }

refuse() {
  say "$*" >&2
  exit 2
}

fail() {
  say "$*" >&2
  exit 1
}

fail_with_log() {
  say "$*; the end of $log:" >&2
  tail -n 20 "$log" | sed 's/^/  | /' >&2
  exit 1
}

have() { command -v "$1" >/dev/null; }

# A daemon takes connections before it can serve them, so a question needs a limit of its own.
within() {
  if have timeout; then timeout "$@"; else "${@:2}"; fi
}

reason=                                    # the engine's own words for why it does not answer
answers() {
  have docker && reason=$(within 10 docker version --format '{{.Server.Version}}' 2>&1 >/dev/null)
}

can_install() { [[ $EUID -eq 0 ]] && have apt-get; }

install() {
  say "installing $*"
  {
    # Another apt may hold the lists; a list that stays old may still do.
    for _ in 1 2 3; do apt-get update -q && break || sleep 5; done
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
      -o DPkg::Lock::Timeout=300 "$@"
  } >>"$log" 2>&1 </dev/null || fail_with_log "apt-get could not install: $*"
}

# --- the engine -------------------------------------------------------------------------

# A process that ended and that nobody waited for keeps its number, but not its command line.
alive() { [[ -n $(tr -d '\0' <"/proc/$1/cmdline") ]]; } 2>/dev/null

# The pid in a pid file, if that process still is the program that wrote it.
pid_of() { # FILE PROGRAM
  local pid command
  pid=$(cat "$1" 2>/dev/null) && alive "$pid" || return 1
  command=$(tr '\0' '\n' <"/proc/$pid/cmdline" | head -n 1)
  [[ ${command##*/} == "$2" ]] && echo "$pid"
}

pid_of_ours() {
  local pid
  pid=$(pid_of "$pid_file" dockerd) || return 1
  [[ $(tr '\0' ' ' <"/proc/$pid/cmdline") == *" --label $mark "* ]] && echo "$pid"
}

install_engine() {
  local missing=()
  have dockerd || missing+=(docker.io)
  have iptables || missing+=(iptables)
  have_compose || missing+=(docker-compose)  # with the rest: apt is asked once
  ((${#missing[@]} == 0)) && return
  can_install || refuse "no engine answers, and only on Debian can this script install one." \
    "Start yours, then try again."
  install "${missing[@]}"
  have docker || install docker-cli          # a package of its own since Debian 13
}

start_engine() {
  local pid
  if pid=$(pid_of "$pid_file" dockerd); then
    say "dockerd (pid $pid) runs but does not answer yet"
    wait_for_engine "$pid"
    return
  fi
  if [[ -d /run/systemd/system ]]; then      # a machine with an init system looks after its own
    systemctl start docker || fail "systemctl could not start docker"
    wait_for_engine $$                       # nothing of ours to watch
    return
  fi
  grep -q ' cgroup2\? ' /proc/mounts || mount -t cgroup2 none /sys/fs/cgroup
  # A pid file that outlived its process, and whose number another process has now, would
  # keep dockerd from starting.
  pid_of "$pid_file" dockerd >/dev/null || rm -f "$pid_file"
  pid_of "$containerd_pid_file" containerd >/dev/null || rm -f "$containerd_pid_file"
  # Its own session and no inherited files: it outlives make, and no pipe or lock waits for it.
  nohup setsid dockerd --label "$mark" --log-level warn </dev/null >>"$log" 2>&1 9>&- &
  wait_for_engine $!
}

wait_for_engine() { # PID
  local deadline=$((SECONDS + start_s_max))
  until answers; do
    alive "$1" || fail_with_log "dockerd ended before it answered"
    ((SECONDS < deadline)) || fail_with_log "dockerd did not answer within $start_s_max s"
    sleep 0.2
  done
}

# --- compose ----------------------------------------------------------------------------

have_compose() { have docker-compose || docker compose version >/dev/null 2>&1; }

provide_compose() {
  have_compose && return
  can_install || refuse "an engine answers, but there is no compose command. Install Docker's compose" \
    "plugin, or docker-compose, then try again."
  install docker-compose
}

# --- the base image ---------------------------------------------------------------------

# Asked of the engine itself: DOCKER_HOST may lead to another one than our pid file does.
engine_is_ours() { [[ $(docker info --format '{{.Labels}}' 2>/dev/null) == *"$mark"* ]]; }

have_image() { docker image inspect "$image" >/dev/null 2>&1; }

# /usr/bin/python3 first: a Python of pyenv in the PATH carries more, and less tidily.
python_for_image() {
  local python
  for python in /usr/bin/python3 "$(command -v python3)"; do
    "$python" -c 'import sys, ssl, sqlite3, ctypes; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
      && echo "$python" && return
  done
  return 1
}

# The tag is given last, and only to an image in which Python has run.
make_stand_in() {
  local python id version
  python=$(python_for_image) || fail "no Python from 3.11 on with ssl and sqlite3: apt-get install python3"
  id=$("$python" "$here/base_image.py" | docker import \
    -c 'ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8' \
    -c 'CMD ["python3"]' -c "LABEL org.knockon.stand-in=$image" -) || fail "docker import failed"
  version=$(docker run --rm "$id" sh -c 'python -c "import platform, ssl, sqlite3, ctypes
print(platform.python_version())"') || fail "the image was made, but no container starts from it"
  docker tag "$id" "$image"
  say "$image: a stand-in with this machine's Python $version (docker pull $image replaces it)"
}

provide_image() {
  have_image && return
  # The tag means something on an engine that other people use: there we fetch the real one.
  if ! engine_is_ours && [[ -z ${KNOCKON_STAND_IN:-} ]]; then
    within 300 docker pull -q "$image" >/dev/null 2>&1 && return
    fail "this engine has no $image and cannot pull it. KNOCKON_STAND_IN=1 make engine gives it one" \
      "made of this machine's Python."
  fi
  make_stand_in
}

# --- the two commands -------------------------------------------------------------------

up() {
  if [[ $EUID -eq 0 ]] && have flock; then   # two at a time would both install, or both start
    exec 9>/run/knockon-engine.lock
    flock 9
  fi
  if ! answers; then
    [[ -z ${DOCKER_HOST:-} ]] || refuse "DOCKER_HOST is $DOCKER_HOST, and no engine answers there${reason:+ ($reason)}."
    [[ $EUID -eq 0 ]] || refuse "no engine answers${reason:+ ($reason)}. Start yours (Docker Desktop, or:" \
      "systemctl start docker), or on Debian run this as root, which installs one."
    : >"$log"
    install_engine
    answers || start_engine                  # a package may have started it
  fi
  provide_compose
  provide_image
  say "ready after $SECONDS s: $(docker version --format 'engine {{.Server.Version}}, client {{.Client.Version}}')"
}

down() {
  local pid deadline=$((SECONDS + stop_s_max))
  if ! pid=$(pid_of_ours); then
    say "no engine that we started is running"
    return
  fi
  kill "$pid" || fail "could not stop dockerd (pid $pid)"
  while alive "$pid"; do                     # its containers get their time to stop first
    ((SECONDS < deadline)) || fail "dockerd (pid $pid) is still there after $stop_s_max s"
    sleep 0.2
  done
  say "stopped dockerd (pid $pid)"
}

case ${1:-} in
  up | down) "$1" ;;
  *) refuse "say what to do: $0 up, or $0 down" ;;
esac
