# SPDX-License-Identifier: Apache-2.0
"""What the tests of this folder share: the tool, places, and RFC 6962 as it is written there."""
import base64
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TOOL = os.environ["LOG_TOOL"]


def need(*programs):
    """Ends the test as skipped, and says so, where one of them is not installed."""
    for program in programs:
        if not shutil.which(program) and not Path(program).exists():
            print(f"not run: {program} is not installed")
            sys.exit(77)


def folder():
    made = tempfile.mkdtemp(prefix="hanse-interop-")
    return Path(made)


def tool(*words):
    done = subprocess.run([TOOL, *map(str, words)], capture_output=True, text=True)
    assert done.returncode == 0, f"log_tool {words[0]}: {done.stderr}"
    return done.stdout


def run(*words, **options):
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{words[0]} failed: {done.stdout}{done.stderr}"
    return done.stdout


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def wait_for(test, what, seconds=20):
    end = time.monotonic() + seconds
    while not test():
        assert time.monotonic() < end, f"{what} did not come up"
        time.sleep(0.02)


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def leaf_hash(entry):
    return sha(b"\0", entry)


def split(count):
    k = 1
    while k * 2 < count:
        k *= 2
    return k


def root(leaves):
    if not leaves:
        return sha()
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return sha(b"\1", root(leaves[:k]), root(leaves[k:]))


def consistency(old, leaves, whole=True):
    """RFC 6962, section 2.1.2."""
    if old == len(leaves):
        return [] if whole else [root(leaves)]
    k = split(len(leaves))
    if old <= k:
        return consistency(old, leaves[:k], whole) + [root(leaves[k:])]
    return consistency(old - k, leaves[k:], False) + [root(leaves[:k])]


def key_id(name, kind, key):
    return sha(name.encode(), b"\n", bytes([kind]), key)[:4]


def vkey(name, kind, key):
    return f"{name}+{key_id(name, kind, key).hex()}+{base64.b64encode(bytes([kind]) + key).decode()}"
