#!/usr/bin/env bash
# The tools of others that tests speak to: the load tools hey, Locust and Artillery, Chaos Toolkit, Prometheus.
#
#   scripts/load-tools.sh [FOLDER]     install into FOLDER (default: /tmp/knockon-tools)
#   KNOCKON_TOOLS=FOLDER/bin pytest tests/fuzzer/loads/outside
#
# Made for a bare Debian machine and root, such as a CI machine; it takes what is there. A tool that
# cannot be had is told and left out, and its tests are skipped. Always exits with 0. Not k6: no
# registry has it.
set -uo pipefail

readonly folder=${1:-/tmp/knockon-tools}
readonly artillery_wanted=artillery@2.0.21        # the last one for the Node.js of Debian 12
readonly locust_wanted=locust==2.*
readonly chaos_wanted=chaostoolkit==1.19.*
readonly step_s_max=240
readonly log=$folder/install.log

have() { type -P "$1" >/dev/null; }    # a program, not one of our functions

# One step: bounded, quiet, and no question asked.
quietly() { timeout --kill-after=10 "$step_s_max" "$@" >>"$log" 2>&1 </dev/null; }

packages() {
  [[ $EUID -eq 0 ]] && have apt-get || return 1
  quietly apt-get update -q                # a list that stays old may still do
  DEBIAN_FRONTEND=noninteractive quietly apt-get install -q -y --no-install-recommends -o DPkg::Lock::Timeout=120 "$@"
}

prometheus() { { have prometheus && have promtool; } || packages prometheus; }

hey() { have hey || packages hey; }

# A Python package in an environment of its own: FOLDER, package, program.
python_tool() {
  [[ -x $folder/$1/bin/$3 ]] || {
    python3 -c 'import ensurepip' 2>/dev/null || packages python3-venv || return
    quietly python3 -m venv "$folder/$1" &&
      quietly "$folder/$1/bin/pip" install --disable-pip-version-check "$2"
  } && ln -sf "$folder/$1/bin/$3" "$folder/bin/$3"
}

locust() { python_tool locust "$locust_wanted" locust; }

chaos() { python_tool chaos "$chaos_wanted" chaos; }

artillery() {
  [[ -x $folder/npm/node_modules/.bin/artillery ]] || {
    have npm || packages nodejs npm || return
    # No install scripts: they would fetch browsers.
    quietly npm install --prefix "$folder/npm" --ignore-scripts --no-audit --no-fund "$artillery_wanted"
  } && ln -sf "$folder/npm/node_modules/.bin/artillery" "$folder/bin/artillery"
}

mkdir -p "$folder/bin" || exit 0
: >"$log"
for tool in hey locust artillery chaos prometheus; do
  if $tool; then
    echo "load-tools: $tool is ready"
  else
    echo "load-tools: $tool could not be installed; its tests are skipped. The end of $log:" >&2
    tail -n 3 "$log" | sed 's/^/  | /' >&2
  fi
done
exit 0
