#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every bash script of the tree through shellcheck.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
mapfile -t scripts < <(git ls-files --cached --others --exclude-standard -- script .ci test bench packaging |
  while IFS= read -r file; do
    [[ ! -f $file ]] || ! head -n 2 "$file" | grep -qE '^#!.*bash|^# shellcheck shell=bash' || printf '%s\n' "$file"
  done)
((${#scripts[@]} >= 8))
shellcheck --external-sources "${scripts[@]}"
printf 'shellcheck: %d scripts, clean\n' "${#scripts[@]}"
