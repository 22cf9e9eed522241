# SPDX-License-Identifier: Apache-2.0
"""What the first page and the manuals tell a newcomer to type works: nothing there may rot."""

import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

from hanse_node import BINARY, MODEL, SANITIZED, Node, main

ROOT = Path(__file__).resolve().parent.parent.parent


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def commands(page: str) -> list[str]:
    """Lines of the shell blocks without their comments."""
    lines = (re.sub(r"(^|\s)#.*", "", line).strip() for block in blocks(page, "sh") for line in block.splitlines())
    return [line for line in lines if line]


class FirstPage(unittest.TestCase):
    def test_both_languages_give_the_same_commands(self):
        self.assertEqual(commands("README.md"), commands("README.de.md"))
        self.assertEqual(blocks("README.md", "python"), blocks("README.de.md", "python"))
        self.assertIn("script/demo", commands("README.md"))

    def test_the_scripts_that_it_names_are_there(self):
        for page in ("README.md", "README.de.md", *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))):
            for name in re.findall(r"\bscript/[a-z][a-z-]*", (ROOT / page).read_text(encoding="utf-8")):
                with self.subTest(f"{page}: {name}"):
                    self.assertTrue((ROOT / name).is_file())

    def test_links_lead_somewhere(self):
        for page in ("README.md", "README.de.md", *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))):
            for target in re.findall(r"\]\(([^)#:]+)\)", (ROOT / page).read_text(encoding="utf-8")):
                with self.subTest(f"{page}: {target}"):
                    self.assertTrue((ROOT / page).parent.joinpath(target).exists())

    def test_its_python_answers(self):
        with Node(models=[{**MODEL, "name": "smollm2"}]) as node:
            for block in blocks("README.md", "python"):
                self.assertIn("http://127.0.0.1:8420/v1", block)
                run = subprocess.run([sys.executable, "-c", block.replace("http://127.0.0.1:8420", node.url)], capture_output=True, text=True, timeout=300)
                self.assertEqual(run.returncode, 0, run.stderr)
                self.assertTrue(run.stdout.strip())

    @unittest.skipIf(SANITIZED, "the demo is the release build's")
    @unittest.skipUnless(Path(BINARY).parent.parent.name == "release", "the demo builds the release preset")
    def test_the_demo_answers_and_ends(self):
        run = subprocess.run([ROOT / "script/demo", "--once", "What is the capital of Germany?"], capture_output=True, text=True, timeout=550, stdin=subprocess.DEVNULL)
        self.assertEqual(run.returncode, 0, run.stderr[-3000:])
        self.assertIn("Berlin", run.stdout)
        for told in ("tokens/s", "first after", "node memory"):
            self.assertIn(told, run.stderr + run.stdout)


class Manuals(unittest.TestCase):
    def test_each_hanse_command_in_the_docs_exists(self):
        for page in (ROOT / "docs").glob("*.md"):
            for line in commands(f"docs/{page.name}"):
                words = re.sub(r"^(sudo( -u \w+)? )?", "", line).split()
                if words[0] != "hanse":
                    continue
                called = [word for word in words[1:3] if re.fullmatch(r"[a-z]+", word)]
                with self.subTest(f"{page.name}: {line}"):
                    # A word after the command may be its argument rather than a command below it.
                    tries = [called, called[:1]]
                    self.assertTrue(any(subprocess.run([BINARY, *t, "--help"], capture_output=True, timeout=30).returncode == 0 for t in tries))


if __name__ == "__main__":
    main()
