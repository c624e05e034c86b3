#!/usr/bin/env bash
# Does shellcheck find nothing in the scripts? Prints ok or skip and ends with 0; prints the findings and ends with 1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if ! command -v shellcheck >/dev/null; then
  echo "skip: shellcheck is not here"
  exit 0
fi
shellcheck -S warning sentiric .ci/run scripts/*.sh
echo "ok: sentiric and scripts"
