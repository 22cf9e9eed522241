# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What every script needs: where things are, how to speak, how to get into the box.
# Sourced as the first act of each script.

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
HANSE_CACHE=${HANSE_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/hanse}
export HANSE_CACHE

say() { printf '%s\n' "hanse: $*" >&2; }

die() {
  say "$*"
  exit 1
}

# Shows the comment block that a script opens with, less the licence line.
help_of() { awk 'NR > 1 { if (!/^#/) exit; if (!/SPDX/) { sub(/^# ?/, ""); print } }' "$1"; }

# For scripts whose only option is --help.
help_if_asked() {
  case "${2:-}" in
    -h | --help)
      help_of "$1"
      exit 0
      ;;
  esac
}

in_box() { [[ -e /etc/hanse-box || ${HANSE_IN_BOX:-} == 1 ]]; }

# Starts the calling script again inside the box, unless it already runs there.
enter_box() {
  in_box || exec "$repository/script/box" "$@"
}

# The cores to build with; memory counts too: one compiler may take 1.5 GiB.
job_count() {
  local cores memory
  cores=$(nproc)
  memory=$(awk '/^MemAvailable/ { print int($2 / 1572864) }' /proc/meminfo)
  ((memory < 1)) && memory=1
  printf '%s\n' "${HANSE_JOBS:-$((cores < memory ? cores : memory))}"
}
