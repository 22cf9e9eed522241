# SPDX-License-Identifier: Apache-2.0
"""TLS as others see it: version 1.3 alone, the hybrid post-quantum group first."""

import subprocess
import ssl
import tempfile
import unittest
from pathlib import Path

import openai
from hanse_node import Node, main, run_hanse


def openssl(*arguments: str, text: str = "") -> str:
    run = subprocess.run(["openssl", *arguments], input=text.encode(), capture_output=True, timeout=30)
    return (run.stdout + run.stderr).decode(errors="replace")


class Tls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="hanse-tls-")
        cls.addClassCleanup(folder.cleanup)
        cls.certificate, key = Path(folder.name, "cert.pem"), Path(folder.name, "key.pem")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key), "-out", str(cls.certificate))
        cls.node = Node(server={"tls_certificate": str(cls.certificate), "tls_key": str(key)})
        cls.addClassCleanup(cls.node.__exit__)
        cls.node.start()

    def handshake(self, *options: str) -> str:
        host, port = self.node.address
        return openssl("s_client", "-connect", f"{host}:{port}", "-CAfile", str(self.certificate), "-verify_return_error", *options)

    def test_the_hybrid_group_is_taken_by_who_knows_it(self):
        self.assertTrue(self.node.url.startswith("https://"))
        told = self.handshake()
        self.assertIn("X25519MLKEM768", told)
        self.assertIn("TLSv1.3", told)

    def test_the_hybrid_group_is_chosen_even_when_the_client_prefers_another(self):
        self.assertIn("X25519MLKEM768", self.handshake("-groups", "X25519:X25519MLKEM768"))

    def test_a_client_without_it_still_gets_in(self):
        self.assertRegex(self.handshake("-groups", "X25519"), r"(?i)(Server Temp Key|Peer Temp Key|Negotiated TLS1.3 group): X25519\b")

    def test_older_versions_are_refused(self):
        told = self.handshake("-tls1_2")
        self.assertIn("alert", told)
        self.assertNotIn("Cipher is ECDHE", told)

    def test_the_official_client_speaks_through_it(self):
        import httpx2
        context = ssl.create_default_context(cafile=str(self.certificate))
        client = openai.OpenAI(base_url=self.node.url + "/v1", api_key="unused", http_client=httpx2.Client(verify=context))
        text = "".join(c.choices[0].delta.content or "" for c in client.chat.completions.create(
            model="small", messages=[{"role": "user", "content": "Say hello."}], max_tokens=8, stream=True) if c.choices)
        self.assertTrue(text)

    def test_plain_http_on_the_tls_port_gets_no_answer_and_hurts_nobody(self):
        import socket
        with socket.create_connection(self.node.address, timeout=30) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            answer = connection.recv(100)
        self.assertFalse(answer.startswith(b"HTTP/1.1 200"))
        self.assertIn("X25519MLKEM768", self.handshake())


class BeyondThisMachine(unittest.TestCase):
    def test_listening_on_all_addresses_without_tls_is_refused_with_the_reason(self):
        with tempfile.TemporaryDirectory(prefix="hanse-e2e-") as folder:
            Path(folder, "hanse.toml").write_text('[server]\naddress = "0.0.0.0"\nport = 0\n')
            run = run_hanse("serve", "--data", folder)
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("TLS", run.stderr)


if __name__ == "__main__":
    main()
