# SPDX-License-Identifier: Apache-2.0
"""The members of a federation each in a network namespace of its own, joined by a bridge: no loopback between them. Needs root
and the right to make namespaces; says so and is skipped where that is missing."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from hanse_node import BINARY, MODEL_FILE, PATIENCE, main

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "script"))
from demo_federation import Federation, wait_until  # noqa: E402

NAMES = ("kontor", "institut", "hafenamt")
RUN = Path("/run/netns")


def ip(*arguments: str, space: str = "", check: bool = True) -> subprocess.CompletedProcess:
    """In that namespace; entered without a mount namespace, which `ip -n` would want and a container may not have."""
    enter = ["nsenter", f"--net={RUN / space}"] if space else []
    return subprocess.run([*enter, "ip", *arguments], capture_output=True, text=True, check=check)


class Networks:
    """A bridge, and a namespace for each name with an address of 10.87.0.0/24 on it."""

    def __init__(self, names):
        self.mark = f"h{os.getpid() % 100000}"
        self.spaces = {name: f"{self.mark}-{name}" for name in names}
        self.hosts = {name: f"10.87.0.{10 + i}" for i, name in enumerate(names)}
        self.hub = f"{self.mark}-hub"

    def __enter__(self) -> "Networks":
        try:
            ip("netns", "add", self.hub)
            ip("link", "add", "bridge", "type", "bridge", space=self.hub)
            ip("link", "set", "bridge", "up", space=self.hub)
            for i, (name, space) in enumerate(self.spaces.items()):
                ip("netns", "add", space)
                ip("link", "add", f"port{i}", "type", "veth", "peer", "name", "eth0", "netns", space, space=self.hub)
                ip("link", "set", f"port{i}", "master", "bridge", "up", space=self.hub)
                ip("address", "add", f"{self.hosts[name]}/24", "dev", "eth0", space=space)
                ip("link", "set", "eth0", "up", space=space)
                ip("link", "set", "lo", "up", space=space)
        except (subprocess.CalledProcessError, OSError):
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        for space in (*self.spaces.values(), self.hub):
            ip("netns", "del", space, check=False)

    def inside(self, name: str) -> list[str]:
        return ["nsenter", f"--net={RUN / self.spaces[name]}"]

    def unplug(self, name: str, plugged: bool = False) -> None:
        ip("link", "set", "eth0", "up" if plugged else "down", space=self.spaces[name])


class Apart(unittest.TestCase):
    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("network namespaces need root")
        try:
            self.networks = Networks(NAMES)
            self.networks.__enter__()
        except (subprocess.CalledProcessError, OSError) as error:
            self.skipTest(f"no network namespaces can be made here: {getattr(error, 'stderr', '') or error}")
        self.addCleanup(self.networks.__exit__)
        folder = tempfile.TemporaryDirectory(prefix="hanse-apart-")
        self.addCleanup(folder.cleanup)
        self.federation = Federation(BINARY, Path(folder.name), MODEL_FILE, MODEL_FILE, hosts=self.networks.hosts, ports=dict.fromkeys(NAMES, 8421), inside={name: self.networks.inside(name) for name in NAMES})
        (self.federation.institut.data / "translator.jinja").write_text("{{ messages[-1]['content'] }}", encoding="utf-8")
        self.addCleanup(self.federation.stop)

    def test_a_question_crosses_between_houses_that_share_only_a_wire(self):
        self.federation.found()
        self.federation.start()
        self.federation.meet(PATIENCE)
        kontor = self.federation.kontor
        self.assertIn(self.networks.hosts["institut"], kontor.command("federation", "status", "--json").stdout)
        answer = kontor.chat("hanse/translation", "Good morning.", "shared")
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(answer.headers.get("hanse-route"), "institut/translator")
        self.assertEqual(kontor.chat("hanse/translation", "The recipe.", "trade-secret").status, 403)
        # The cable is pulled, and put back.
        self.networks.unplug("institut")
        wait_until(lambda: kontor.ask("/v1/chat/completions", {"model": "institut/translator", "messages": [{"role": "user", "content": "Good morning."}], "max_tokens": 8}, {"Hanse-Label": "shared", "Hanse-Deadline-Ms": "3000"}).status in (502, 503, 504), "the company to notice", PATIENCE)
        self.networks.unplug("institut", plugged=True)
        wait_until(lambda: kontor.chat("institut/translator", "Good morning.", "shared").status == 200, "the institute to be back", PATIENCE)


if __name__ == "__main__":
    main()
