# SPDX-License-Identifier: Apache-2.0
"""Quantum keys between two members: taken from the devices of both sites by ETSI GS QKD 014, added to the connection, demanded."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from hanse_node import BINARY, PATIENCE, main
from mock_upstream import MockUpstream
from qkd_kms import KeyManagement

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "script"))
from demo_federation import Member, free_port, policy_of, wait_until  # noqa: E402
from federation_test import SERVER  # noqa: E402

KINDS = '\n[[kinds]]\nname = "shared"\nreaders = ["kontor", "institut"]\n'


def certificates(folder: Path, *names: str) -> None:
    """An authority of the house, and a certificate for each name."""
    def openssl(*arguments) -> None:
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", folder / "ca.key", "-out", folder / "ca.pem", "-days", "2", "-subj", "/CN=house")
    for name in names:
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.csr", "-subj", f"/CN={name}")
        (folder / "ext").write_text("subjectAltName=IP:127.0.0.1")
        openssl("x509", "-req", "-in", folder / f"{name}.csr", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key", "-CAcreateserial", "-out", folder / f"{name}.pem", "-days", "2", "-extfile", folder / "ext")


class Quantum(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="hanse-qkd-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        certificates(self.folder, "kme", "sae-kontor", "sae-institut")
        self.kms = KeyManagement(str(self.folder / "kme.pem"), str(self.folder / "kme.key"), str(self.folder / "ca.pem"))
        self.addCleanup(self.kms.close)
        self.server = MockUpstream()
        self.server.__enter__()
        self.addCleanup(self.server.__exit__)
        self.kontor = Member(BINARY, self.folder, "kontor", "", port=free_port())
        self.institut = Member(BINARY, self.folder, "institut", "", port=free_port())
        self.write(self.kontor, self.kms.alice_url, "institut")
        self.write(self.institut, self.kms.bob_url, "kontor")
        self.addCleanup(lambda: (self.kontor.stop(), self.institut.stop()))
        self.kontor.command("federation", "create", "hansa")
        self.kontor.start()
        code = self.kontor.command("federation", "invite", "institut", "--yes").stdout.strip()
        self.institut.command("federation", "join", code, "--yes")

    def write(self, member: Member, url: str, other: str, demanded: bool = True) -> None:
        device = (f'\n[qkd]\nurl = "{url}"\nca_file = "{self.folder}/ca.pem"\ncertificate = "{self.folder}/sae-{member.name}.pem"\nkey = "{self.folder}/sae-{member.name}.key"\n'
                  f'members = {{ {other} = "sae-{other}" }}\ndemanded = ["{other}"]\n')
        offers = '[[offers]]\nmodel = "translator"\n' if member.name == "institut" else ""
        upstream = f'[[upstreams]]\nname = "server"\nurl = "{self.server.url}"\nmodels = ["translator"]\n' if member.name == "institut" else ""
        member.write(upstream, policy_of(member.name, [other], KINDS, "shared") + (SERVER if upstream else ""), offers=device + "\n" + offers)

    def test_a_key_of_the_device_is_added_and_the_question_crosses(self):
        self.institut.start()
        wait_until(lambda: self.kontor.connected("institut") and "institut/translator" in self.kontor.models(), "the two to be connected", PATIENCE)
        self.assertIn('"quantum":true', self.kontor.command("federation", "status", "--json").stdout)
        calls = [path.rsplit("/", 1)[1].split("?")[0] for _, path, _ in self.kms.asked]
        self.assertIn("enc_keys", calls)
        self.assertIn("dec_keys", calls)
        # The master is named in the path of the one who fetches, the slave in that of the one who draws.
        for _, path, who in self.kms.asked:
            self.assertNotIn(f"/{who}/", path)
        self.assertEqual(self.kontor.chat("institut/translator", "Good morning.", "shared").text, "Moin from elsewhere")

    def test_where_it_is_demanded_there_is_no_connection_without(self):
        self.kms.fails = 503
        self.institut.start()
        wait_until(lambda: "no quantum key" in self.kontor.log() + self.institut.log(), "the refusal to be told", PATIENCE)
        self.assertIn("the device is out of order", self.kontor.log() + self.institut.log())
        self.assertFalse(self.kontor.connected("institut"))
        self.kms.fails = 0
        wait_until(lambda: self.kontor.connected("institut"), "the connection once the device works", PATIENCE)


if __name__ == "__main__":
    main()
