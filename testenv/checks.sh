#!/usr/bin/env bash
# Checks for developers that depend on data from elsewhere, and are therefore no part of the test command:
#   ./testenv/checks.sh vulnerabilities   known ones in what the program really calls (govulncheck)
#   ./testenv/checks.sh licences          of everything that is linked into the binary (go-licenses)
#   ./testenv/checks.sh                   both
# Exit codes: 0 nothing found; 1 something found; 3 a check could not be made, and it says why.
set -uo pipefail
cd "$(dirname "$0")/.."
export GOFLAGS="${GOFLAGS:-} -buildvcs=false"
tool() { go tool -modfile=.tools/checks.mod "$@"; }
worst=0
result() { [ "$1" -le "$worst" ] || worst=$1; }

# What may be linked into a program that others build on and sell.
allowed=Apache-2.0,BSD-2-Clause,BSD-3-Clause,MIT,MPL-2.0,ISC,CC0-1.0,Unlicense,0BSD,BSD-Source-Code,PostgreSQL

vulnerabilities() {
  local out code
  out=$(tool govulncheck ./... 2>&1)
  code=$?
  printf '%s\n' "$out"
  case $code in
    0) echo "vulnerabilities: none found in what is called" ;;
    3) echo "vulnerabilities: found, see above: update the modules that it names" >&2; result 1 ;;
    *) echo "vulnerabilities: NOT CHECKED: the database of known vulnerabilities cannot be read from here; run this where it can" >&2; result 3 ;;
  esac
}

licences() {
  local out code
  out=$(tool go-licenses check ./cmd/narthex --ignore github.com/narthex/narthex --allowed_licenses="$allowed" 2>&1)
  code=$?
  if [ $code -eq 0 ]; then
    echo "licences: all are among $allowed"
    return
  fi
  grep -v "non-Go code\|^/" <<<"$out" # assembly imports nothing
  echo "licences: one is not among $allowed, or could not be told; see above" >&2
  result 1
}

case "${1:-all}" in
  vulnerabilities) vulnerabilities ;;
  licences) licences ;;
  all) vulnerabilities; licences ;;
  *) echo "usage: $0 [vulnerabilities|licences]" >&2; exit 2 ;;
esac
exit $worst
