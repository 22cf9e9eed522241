# SPDX-License-Identifier: Apache-2.0
"""The official JavaScript client, from npm at the version and hash of package-lock.json, kept in Hanse's cache."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from hanse_node import MODEL, MODEL_FILE, Node, main

HERE = Path(__file__).resolve().parent / "javascript"


def installed() -> Path:
    """A node_modules folder with what the lock file names; fetched once."""
    cache = Path(os.environ.get("HANSE_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hanse") / "npm"
    cache.mkdir(parents=True, exist_ok=True)
    done = cache / hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()[:16]
    with open(cache / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            with tempfile.TemporaryDirectory(dir=cache) as part:
                for name in ("package.json", "package-lock.json"):
                    shutil.copy(HERE / name, part)
                subprocess.run(["npm", "ci", "--omit=dev", "--no-audit", "--no-fund", "--ignore-scripts", f"--cache={part}/cache"], cwd=part, check=True, timeout=300)
                shutil.rmtree(Path(part, "cache"), ignore_errors=True)
                os.rename(part, done)
                os.mkdir(part)  # for the context manager
    return done / "node_modules"


class Client(unittest.TestCase):
    def test_the_official_client(self):
        modules = installed()
        with tempfile.TemporaryDirectory(prefix="hanse-js-") as folder, Node(models=[MODEL, {"name": "embedder", "file": MODEL_FILE, "context": 512, "embeddings": True}]) as node:
            shutil.copy(HERE / "client.test.mjs", folder)
            os.symlink(modules, Path(folder, "node_modules"))
            run = subprocess.run(["node", "--test", "--test-reporter=spec", "client.test.mjs"], cwd=folder, env={**os.environ, "HANSE_URL": node.url}, timeout=500)
            self.assertEqual(run.returncode, 0)


if __name__ == "__main__":
    main()
