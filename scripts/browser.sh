#!/usr/bin/env bash
# A browser for the tests of the page that `knockon report` makes: Debian's Chromium and its driver.
#
#   scripts/browser.sh [FILE]     install; FILE is made if there is a browser at the end
#   pytest tests/fuzzer/reports/page
#
# Made for a bare Debian machine and root, such as a CI machine; it takes what is there. What cannot be had
# is told and left out, and its tests are skipped. Always exits with 0.
set -uo pipefail

readonly found=${1:-}
readonly step_s_max=300

have() { type -P chromium >/dev/null && type -P chromedriver >/dev/null; }

# One step: bounded, quiet, and no question asked.
quietly() { DEBIAN_FRONTEND=noninteractive timeout --kill-after=10 "$step_s_max" "$@" >>"$log" 2>&1 </dev/null; }

packages() {
  [[ $EUID -eq 0 ]] && type -P apt-get >/dev/null || return 1
  quietly apt-get update -q                # a list that stays old may still do
  # A font, for the page has letters.
  quietly apt-get install -q -y --no-install-recommends -o DPkg::Lock::Timeout=120 \
    chromium chromium-driver fonts-dejavu-core
}

log=$(mktemp) || exit 0
if have || { packages && have; }; then
  echo "browser: chromium is ready"
  [[ -z $found ]] || touch "$found"
else
  echo "browser: chromium could not be installed; its tests are skipped. The end of the log:" >&2
  tail -n 3 "$log" | sed 's/^/  | /' >&2
fi
rm -f "$log"
exit 0
