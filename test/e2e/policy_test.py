# SPDX-License-Identifier: Apache-2.0
"""hanse policy as administrators and their pipelines use it: words, JSON, exit codes. No node runs here."""

import json
import subprocess
import tempfile
import unittest
from pathlib import Path

from hanse_node import main, run_hanse

LOOSER = ('place = "house"\ncontrol = "house"', 'place = "EU"\ncontrol = "EU"\nafter = ["pseudonymise"]')


class Policy(unittest.TestCase):
    def setUp(self):
        self.data = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="hanse-e2e-")))
        made = self.hanse("init", "--house", "acme", "--country", "DE")
        self.assertEqual(made.returncode, 0, made.stderr)
        self.policy = self.data / "policy.toml"

    def hanse(self, *arguments: str) -> subprocess.CompletedProcess:
        return run_hanse(*arguments, environment={"HANSE_DATA": str(self.data), "LANG": "C"})

    def file(self, name: str, text: str) -> str:
        (self.data / name).write_text(text, encoding="utf-8")
        return str(self.data / name)

    def test_every_profile_is_sound_and_an_old_policy_is_kept(self):
        for profile in ("mittelstand", "public-authority", "research-group", "open"):
            with self.subTest(profile):
                made = self.hanse("init", "--force", "--profile", profile, "--house", "stadtwerke")
                self.assertEqual(made.returncode, 0, made.stderr)
                self.assertEqual(self.hanse("policy", "check").returncode, 0)
        kept = self.policy.read_text()
        self.hanse("init", "--profile", "mittelstand")
        self.assertEqual(self.policy.read_text(), kept)
        self.assertEqual(self.hanse("init", "--profile", "anarchy").returncode, 2)

    def test_check_names_line_and_word_of_every_mistake(self):
        broken = self.file("broken.toml", self.policy.read_text().replace('contents = ["pseudonymous"]', 'contents = ["pseudonimous"]') + 'colour = "red"\n')
        checked = self.hanse("policy", "check", broken)
        self.assertEqual(checked.returncode, 2)
        for told in ("pseudonimous", "colour", "broken.toml:"):
            self.assertIn(told, checked.stderr)

    def test_check_as_json_lists_kinds_and_places(self):
        told = json.loads(self.hanse("policy", "check", "--json").stdout)
        self.assertIn("personnel", told["kinds"])
        self.assertIn("eu-cloud", told["places"])
        self.assertEqual((told["standard"], told["unseen_kinds"]), ("internal", []))

    def test_explain_gives_reason_remedy_and_exit_code(self):
        denied = self.hanse("policy", "explain", "--label", "personnel", "--to", "eu-cloud")
        self.assertEqual(denied.returncode, 3)
        for told in ("acme keeps this inside house:acme", "what would help"):
            self.assertIn(told, denied.stdout)
        self.assertEqual(self.hanse("policy", "explain", "--label", "internal", "--to", "eu-cloud").returncode, 0)
        german = self.hanse("policy", "explain", "--label", "personnel", "--to", "eu-cloud", "--lang", "de")
        self.assertIn("was helfen würde", german.stdout)
        told = json.loads(self.hanse("policy", "explain", "--label", "customers", "--to", "eu-cloud", "--json").stdout)
        self.assertEqual((told["outcome"], told["after"]), ("permit after", ["pseudonymise"]))
        self.assertEqual(self.hanse("policy", "explain", "--label", "nonsense", "--to", "local").returncode, 2)

    def test_explain_says_that_a_place_is_not_declared(self):
        told = self.hanse("policy", "explain", "--label", "public", "--to", "nowhere-known")
        self.assertEqual(told.returncode, 0)
        self.assertIn("does not declare nowhere-known", told.stdout)

    def test_prove_is_for_pipelines(self):
        proved = self.hanse("policy", "prove", "--from", "personnel", "--never-reaches", "eu-cloud")
        self.assertEqual(proved.returncode, 0, proved.stderr)
        self.assertIn("proved", proved.stdout)
        shown = self.hanse("policy", "prove", "--from", "customers", "--never-reaches", "eu-cloud", "--json")
        self.assertEqual(shown.returncode, 1)
        told = json.loads(shown.stdout)
        self.assertFalse(told["proved"])
        self.assertEqual(told["path"], [{"place": "eu-cloud", "how": "for answer, after pseudonymise"}])

    def test_a_proof_in_the_file_forbids_the_change_that_would_break_it(self):
        self.assertIn(LOOSER[0], self.policy.read_text())
        loosened = self.file("loosened.toml", self.policy.read_text().replace(*LOOSER, 1))
        checked = self.hanse("policy", "check", loosened)
        self.assertEqual(checked.returncode, 2)
        self.assertIn("contradicts the rest of the file", checked.stderr)

    def test_a_table_of_expected_decisions_is_kept_or_not(self):
        good = self.file("good.case", "personnel -> local for answer: permit\npersonnel -> eu-cloud for answer: deny acme place\n")
        self.assertEqual(self.hanse("policy", "test", good).returncode, 0)
        bad = self.file("bad.case", "# mine\npersonnel -> eu-cloud for answer: permit\n")
        failed = self.hanse("policy", "test", bad)
        self.assertEqual(failed.returncode, 1)
        self.assertIn('bad.case:2: expected "permit", decided "deny acme place"', failed.stdout)
        self.assertEqual(self.hanse("policy", "test", self.file("empty.case", "# nothing\n")).returncode, 2)

    def test_diff_shows_what_would_turn_out_differently(self):
        record = self.file("record.tsv", "internal\teu-cloud\tanswer\npersonnel\teu-cloud\tanswer\npersonnel\tlocal\tanswer\n")
        text = self.policy.read_text()
        self.assertEqual(self.hanse("policy", "diff", self.file("same.toml", text), "--record", record).returncode, 0)
        changed = text.replace("[[proofs]]", '[[rules]]\nname = "nothing to the cloud"\nkinds = ["internal"]\nplaces = ["eu-cloud"]\n\n[[proofs]]', 1)
        shown = self.hanse("policy", "diff", self.file("changed.toml", changed), "--record", record, "--json")
        self.assertEqual(shown.returncode, 1, shown.stderr)
        told = json.loads(shown.stdout)
        self.assertEqual(told["decisions"], 3)
        self.assertEqual([(d["label"], d["place"], d["before"], d["after"]) for d in told["differences"]], [("internal", "eu-cloud", "permit", "deny rule")])
        self.assertEqual(self.hanse("policy", "diff", str(self.policy)).returncode, 5, "no node has recorded anything")


if __name__ == "__main__":
    main()
