#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The service unit by systemd's own judgement: no unknown key, and little that an intruder could reach.
set -euo pipefail
unit=$(dirname "${BASH_SOURCE[0]}")/../../packaging/hanse.service
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The program is not installed where tests run; any program stands in for it.
sed 's#/usr/bin/hanse#/usr/bin/true#' "$unit" >"$work/hanse.service"
problems=$(systemd-analyze verify --recursive-errors=no --man=no "$work/hanse.service" 2>&1 | grep -F hanse.service || true)
[[ -z $problems ]] || {
  printf '%s\n' "$problems" >&2
  exit 1
}
# 20 of 100 is what systemd calls OK; a network service cannot come to 0.
systemd-analyze security --offline=true --threshold=20 --no-pager "$work/hanse.service" | tail -n 1
