# SPDX-License-Identifier: Apache-2.0
"""The commands as people and scripts use them: pipes, exit codes, JSON, completion, the manual page."""

import json
import os
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from hanse_node import BINARY, Node, main, run_hanse


class WithNode(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = Node()
        cls.addClassCleanup(cls.node.__exit__)
        cls.node.start()

    def test_ask_prints_the_answer_and_nothing_else(self):
        run = self.node.command("ask", "What is the capital of Germany?", "--max-tokens", "24", "--temperature", "0")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("Berlin", run.stdout)
        self.assertNotIn("tokens/s", run.stdout)

    def test_ask_reads_a_pipe(self):
        run = self.node.command("ask", "--max-tokens", "24", "--temperature", "0", stdin=None, input="What is the capital of Germany?\n")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("Berlin", run.stdout)

    def test_ask_as_json_is_json(self):
        run = self.node.command("ask", "Say hello.", "--max-tokens", "8", "--json")
        self.assertEqual(run.returncode, 0, run.stderr)
        json.loads(run.stdout)

    def test_ask_tells_its_speed_on_standard_error(self):
        run = self.node.command("ask", "Say hello.", "--max-tokens", "8", "--stats")
        self.assertIn("tokens/s", run.stderr)

    def test_ask_for_an_unknown_model_is_exit_code_5(self):
        run = self.node.command("ask", "Say hello.", "--model", "nobody")
        self.assertEqual(run.returncode, 5, run.stderr)
        self.assertIn("nobody", run.stderr)

    def test_ask_without_a_question_is_exit_code_2(self):
        self.assertEqual(self.node.command("ask").returncode, 2)

    def test_chat_goes_on_over_several_lines_of_a_pipe(self):
        run = self.node.command("chat", "--max-tokens", "16", stdin=None, input="My name is Anna.\nWhat is my name?\n/quit\n")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertTrue(run.stdout.strip())

    def test_german_users_are_spoken_to_in_german(self):
        run = self.node.command("ask", "Hallo", "--model", "niemand", "--lang", "de")
        self.assertRegex(run.stderr, r"Modell|niemand")


class WithoutNode(unittest.TestCase):
    def setUp(self):
        self.data = self.enterContext(tempfile.TemporaryDirectory(prefix="hanse-e2e-"))

    def hanse(self, *arguments: str, **options) -> subprocess.CompletedProcess:
        return run_hanse(*arguments, environment={"HANSE_DATA": self.data, "LANG": "C", "HANSE_URL": ""}, **options)

    def test_init_writes_a_configuration_that_is_valid_and_keeps_an_old_one(self):
        self.assertEqual(self.hanse("init").returncode, 0)
        config = Path(self.data, "hanse.toml")
        text = config.read_text()
        self.assertIn("[server]", text)
        config.write_text(text + "# mine\n")
        self.hanse("init")
        self.assertIn("# mine", config.read_text())

    def test_ask_without_a_node_is_exit_code_4_and_says_how_to_start_one(self):
        run = self.hanse("ask", "Moin!")
        self.assertEqual(run.returncode, 4, run.stderr)
        self.assertIn("hanse serve", run.stderr)

    def test_a_mistake_in_the_configuration_names_line_and_key(self):
        Path(self.data, "hanse.toml").write_text("[server]\naddress = \"127.0.0.1\"\nport = \"many\"\nthread = 3\n")
        run = self.hanse("serve")
        self.assertEqual(run.returncode, 2, run.stderr)
        for told in ("3", "port", "4", "thread", "threads"):
            self.assertIn(told, run.stderr)

    def test_a_variable_overrides_a_key_and_its_mistakes_are_told(self):
        run = run_hanse("serve", environment={"HANSE_DATA": self.data, "HANSE_SERVER_PORT": "many", "LANG": "C"})
        self.assertEqual(run.returncode, 2)
        self.assertIn("HANSE_SERVER_PORT", run.stderr)

    def test_a_port_in_use_is_told(self):
        import socket
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            run = self.hanse("serve", "--port", str(port))
        self.assertNotEqual(run.returncode, 0)
        self.assertIn(str(port), run.stderr)

    def test_each_command_has_help_with_examples(self):
        overview = self.hanse("--help")
        self.assertEqual(overview.returncode, 0)
        for command in ("init", "serve", "chat", "ask", "model", "key", "policy", "version"):
            with self.subTest(command):
                self.assertIn(command, overview.stdout)
                run = self.hanse(command, "--help")
                self.assertEqual(run.returncode, 0)
                self.assertIn("hanse " + command, run.stdout)

    def test_nonsense_is_exit_code_2(self):
        for arguments in (["nonsense"], ["serve", "--nonsense"], ["ask", "--max-tokens", "many", "a"]):
            with self.subTest(arguments):
                self.assertEqual(self.hanse(*arguments).returncode, 2)

    def test_version_completion_and_manual_page(self):
        version = self.hanse("version")
        self.assertEqual(version.returncode, 0)
        self.assertRegex(version.stdout, r"\d+\.\d+\.\d+")
        script = self.hanse("completion", "bash").stdout
        self.assertEqual(subprocess.run(["bash", "-n"], input=script, text=True).returncode, 0)
        self.assertIn("serve", script)

    def test_it_starts_in_a_tenth_of_a_second(self):
        times = []
        for _ in range(5):
            begin = time.monotonic()
            self.hanse("version")
            times.append(time.monotonic() - begin)
        # Other tests run beside this one: the quickest start is the program's own.
        self.assertLess(min(times), 0.1 if not os.environ.get("HANSE_SANITIZED", "0") == "1" else 2)

    def test_a_full_disk_or_closed_pipe_does_not_crash_it(self):
        run = subprocess.run(["bash", "-c", '"$0" --help | head -n 1; exit ${PIPESTATUS[0]}', BINARY], capture_output=True, text=True, timeout=30)
        self.assertIn(run.returncode, (0, 1, 141))


if __name__ == "__main__":
    main()
