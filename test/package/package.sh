#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the Debian package from the build folder $1, unpacks it, looks it through and runs what it holds.
set -euo pipefail
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
  printf 'package: %s\n' "$*" >&2
  exit 1
}
expect() { grep -qE -- "$1" <<<"$2" || fail "expected $1 in: $2"; }

cpack --config "$build/CPackConfig.cmake" -B "$work" >"$work/log" 2>&1 || {
  cat "$work/log" >&2
  fail 'cpack failed'
}
deb=$(find "$work" -maxdepth 1 -name 'hanse_*.deb')
[[ -n $deb ]] || fail 'cpack made no .deb'
dpkg-deb --extract "$deb" "$work/root"
dpkg-deb --control "$deb" "$work/control"

for file in usr/bin/hanse etc/hanse/hanse.toml etc/hanse/policy.toml usr/lib/systemd/system/hanse.service usr/lib/sysusers.d/hanse.conf etc/default/hanse usr/share/man/man1/hanse.1 \
  usr/share/bash-completion/completions/hanse usr/share/zsh/vendor-completions/_hanse usr/share/fish/vendor_completions.d/hanse.fish \
  usr/share/doc/hanse/copyright; do
  [[ -f $work/root/$file || -f $work/root/$file.gz ]] || fail "no $file in it"
done
expect '^/etc/hanse/hanse.toml$' "$(cat "$work/control/conffiles")"
expect '^/etc/hanse/policy.toml$' "$(cat "$work/control/conffiles")"
depends=$(dpkg-deb --field "$deb" Depends)
for library in libllama0 libggml0 libssl3 libc6; do
  expect "(^|, )$library" "$depends"
done
for script in postinst prerm postrm; do
  sh -n "$work/control/$script"
  [[ -x $work/control/$script ]] || fail "$script is not executable"
done
! readelf --dynamic "$work/root/usr/bin/hanse" | grep -E 'R(UN)?PATH' || fail 'the binary carries a path of the build machine'

# The user that the service runs as can be made from what the package brings.
mkdir -p "$work/root/etc"
systemd-sysusers --root="$work/root" hanse.conf >/dev/null
expect '^hanse:' "$(cat "$work/root/etc/passwd")"

expect '[0-9]+\.[0-9]+' "$("$work/root/usr/bin/hanse" version)"
"$work/root/usr/bin/hanse" --help >/dev/null
# As the unit starts it, with the configuration of the package, on any free port.
mkdir "$work/data"
HANSE_SERVER_PORT=0 "$work/root/usr/bin/hanse" serve --config "$work/root/etc/hanse/hanse.toml" --data "$work/data" >"$work/serve.log" 2>&1 &
node=$!
for ((i = 0; i < 200; i++)); do
  url=$(sed -nE 's/.*"url": *"([^"]+)".*/\1/p' "$work/data/node.json" 2>/dev/null || true)
  [[ -z $url ]] || ! curl --silent --fail --output /dev/null "$url/healthz" || break
  kill -0 "$node" 2>/dev/null || break
  sleep 0.05
done
curl --silent --show-error --fail --output /dev/null "${url:-http://nowhere.invalid}/healthz" || {
  cat "$work/serve.log" >&2
  fail 'the node of the package does not answer'
}
kill -TERM "$node"
wait "$node" || fail "the node ended with $? on SIGTERM"
printf 'package: %s, %d KiB\n' "$(basename "$deb")" $(($(stat -c %s "$deb") / 1024))
