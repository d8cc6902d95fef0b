#!/usr/bin/env bash
# The test command: installs what is missing, then builds, checks and tests everything with the race detector.
#   ./testenv/test.sh          everything, as CI does it
#   ./testenv/test.sh quick    the tests alone
set -euo pipefail
cd "$(dirname "$0")/.."

# A checkout that belongs to another user (a container, CI) must build as well.
export GOFLAGS="${GOFLAGS:-} -buildvcs=false"
tool() { go tool -modfile=.tools/go.mod "$@"; }
say() { printf '\n== %s (%ss)\n' "$*" "$SECONDS"; }

install_packages() {
  local missing=() wanted=(chromium=chromium protoc=protobuf-compiler node=nodejs npm=npm nginx=nginx-light curl=curl jq=jq git=git gcc=gcc
    spin=spin strace=strace ldapwhoami=ldap-utils /usr/sbin/slapd=slapd
    /usr/sbin/ns-slapd=389-ds-base openssl=openssl certutil=libnss3-tools
    samba-tool=samba-common-bin) pair
  for pair in "${wanted[@]}"; do
    command -v "${pair%%=*}" >/dev/null 2>&1 || missing+=("${pair#*=}")
  done
  # Debian keeps the servers of PostgreSQL out of the PATH.
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql)
  # Nor are the parts of a domain controller commands.
  compgen -G '/usr/lib/*/samba/ldb/samba_dsdb.so' >/dev/null || missing+=(samba-ad-dc)
  [ -e /usr/share/samba/setup/provision.ldif ] || missing+=(samba-ad-provision)
  [ ${#missing[@]} -eq 0 ] && return
  if ! command -v apt-get >/dev/null 2>&1; then
    echo "please install: ${missing[*]} (this script can do it itself on Debian and Ubuntu only)" >&2
    exit 1
  fi
  local sudo=()
  [ "$(id -u)" -eq 0 ] || sudo=(sudo)
  # The tests start servers of their own: the packages start none.
  local policy=/usr/sbin/policy-rc.d ours=no
  if [ ! -e "$policy" ]; then
    ours=yes
    printf '#!/bin/sh\nexit 101\n' | "${sudo[@]}" tee "$policy" >/dev/null
    "${sudo[@]}" chmod +x "$policy"
  fi
  local status=0
  "${sudo[@]}" apt-get update -q &&
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${missing[@]}" || status=$?
  [ "$ours" = no ] || "${sudo[@]}" rm -f "$policy"
  return $status
}

say "packages"
install_packages
if ! command -v go >/dev/null 2>&1; then
  echo "please install Go 1.26 or later: https://go.dev/dl/" >&2
  exit 1
fi

say "accessibility rules"
npm ci --prefix testenv/axe --ignore-scripts --no-audit --no-fund --loglevel=error

if [ "${1:-all}" = all ]; then
  say "generated files are up to date"
  go generate ./...
  git diff --exit-code -- '*.pb.go' '*_gen.go' '*.gen.go' || { echo "run 'go generate ./...' and commit the result" >&2; exit 1; }
  say "modules are tidy"
  go mod tidy -diff
  say "vet and lint"
  go vet ./...
  tool golangci-lint run ./...
fi

say "tests"
go test -race -timeout 20m ./...
say "all passed"
