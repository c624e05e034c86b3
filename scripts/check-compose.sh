#!/usr/bin/env bash
# Is docker-compose.yml valid, does it start every role that the script knows, and does it pin the same native files?
# Prints ok or skip and ends with 0; prints what is wrong and ends with 1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() { echo "$*"; exit 1; }

roles=$(sed -n 's/^ROLES=(\(.*\))$/\1/p' scripts/platform.sh)
[ -n "$roles" ] || fail "no ROLES in scripts/platform.sh"
for role in $roles; do
  grep -qF "command: [\"--roles\", \"$role\"]" docker-compose.yml || fail "docker-compose.yml has no service for the role $role"
done
for sum in $(sed -n 's/^\(SHERPA\|VAD\)_SUM=//p' scripts/setup.sh); do
  grep -qF "$sum" Dockerfile || fail "the Dockerfile does not pin $sum as scripts/setup.sh does"
done

if ! command -v docker-compose >/dev/null; then
  echo "skip: docker-compose is not here to check the schema"
  exit 0
fi
said=$(SENTIRIC_PASSWORD=p SENTIRIC_KEY=k docker-compose -f docker-compose.yml config -q 2>&1) || fail "$said"
if said=$(SENTIRIC_PASSWORD='' SENTIRIC_KEY=k docker-compose -f docker-compose.yml config -q 2>&1); then
  fail "docker-compose.yml starts without a password"
fi
echo "ok: docker-compose.yml"
