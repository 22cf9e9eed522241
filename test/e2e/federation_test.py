# SPDX-License-Identifier: Apache-2.0
"""Three members of a federation on loopback: what is asked where, what is seen on the wire, and what happens when one goes."""

import http.client
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse
from pathlib import Path

from hanse_node import BINARY, MODEL_FILE, PATIENCE, Stream, main
from mock_upstream import MockUpstream

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "script"))
from demo_federation import KINDS, Federation, free_port, policy_of, record_in, wait_until  # noqa: E402

SERVER = """
[[places]]
name = "server"
sort = "backend"
receivers = ["institut"]
place = "house"
control = "house"
contents = ["pseudonymous", "copyrighted"]
keep = "none"
learn = "no"
"""


def record_of(member, answer) -> dict:
    return record_in(member.ask(f"/v1/hanse/receipts/{answer.headers['hanse-receipt']}").body.decode())


def receipts_counted(member, verified: str) -> int:
    found = re.search(rf'^hanse_partner_receipts_total{{member="institut",verified="{verified}"}} (\d+)$', member.ask("/metrics").body.decode(), re.MULTILINE)
    return int(found[1]) if found else 0


class Relay:
    """Passes TCP on and keeps all bytes of both directions; can cut what is open."""

    def __init__(self, port: int, to: int):
        self.to, self.seen, self.open = to, bytearray(), []
        self.listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.to), timeout=5)
                far.settimeout(None)
            except OSError:
                near.close()
                continue
            # Small pieces are not held back: nodes send them one by one.
            for each in (near, far):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.open += [near, far]
            threading.Thread(target=self.pump, args=(near, far), daemon=True).start()
            threading.Thread(target=self.pump, args=(far, near), daemon=True).start()

    def pump(self, come: socket.socket, go: socket.socket) -> None:
        try:
            while piece := come.recv(65536):
                self.seen += piece
                go.sendall(piece)
        except OSError:
            pass
        for each in (come, go):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self) -> None:
        # Those that come meanwhile are new ones.
        cut, self.open = self.open, []
        for each in cut:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            each.close()

    def close(self) -> None:
        self.listener.close()
        self.cut()


class InAFederation(unittest.TestCase):
    """The institute's model is a server of ours, so that a test sees what reached it."""

    demanded: tuple = ()

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="hanse-federation-")
        cls.server = MockUpstream()
        cls.server.__enter__()
        names = ("kontor", "institut", "hafenamt")
        cls.ports = {name: free_port() for name in names}
        # Partners reach each other through relays, which the charter names.
        cls.relays = {name: Relay(port, cls.ports[name]) for name in names for port in [free_port()]}
        cls.addresses = {name: f"127.0.0.1:{relay.listener.getsockname()[1]}" for name, relay in cls.relays.items()}
        cls.federation = Federation(BINARY, Path(cls.folder.name), MODEL_FILE, MODEL_FILE, ports=cls.ports)
        cls.federation.institut.write(f'[[upstreams]]\nname = "server"\nurl = "{cls.server.url}"\nmodels = ["translator"]\n', policy_of("institut", ["kontor", "hafenamt"]) + SERVER,
                                      offers='[[offers]]\nmodel = "translator"\nskills = ["translation"]\nlanguages = ["de", "en"]\n')
        try:
            cls.found()
            cls.federation.start()
            cls.federation.meet(PATIENCE)
        except BaseException:
            cls.tearDownClass()
            raise

    @classmethod
    def found(cls):
        kontor = cls.federation.kontor
        kontor.command("federation", "create", "hansa", "--address", cls.addresses["kontor"], *cls.demanded)
        kontor.start()
        for newcomer in (cls.federation.institut, cls.federation.hafenamt):
            code = kontor.command("federation", "invite", newcomer.name, "--yes").stdout.strip()
            newcomer.command("federation", "join", code, "--address", cls.addresses[newcomer.name], "--yes")

    @classmethod
    def tearDownClass(cls):
        cls.federation.stop()
        for relay in cls.relays.values():
            relay.close()
        cls.server.__exit__()
        cls.folder.cleanup()

    def setUp(self):
        self.kontor, self.institut, self.hafenamt = self.federation.members
        self.server.asked.clear()
        self.server.behave = self.server.well


class Questions(InAFederation):
    def test_a_question_is_answered_by_the_partner_that_has_the_model(self):
        answer = self.kontor.chat("institut/translator", "Good morning.", "shared")
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(answer.text, "Moin from elsewhere")
        self.assertEqual(answer.headers.get("hanse-route"), "institut/translator")
        self.assertEqual(self.server.asked[0]["model"], "translator")

    def test_its_tokens_stream_back_as_they_come(self):
        answer = self.kontor.chat("institut/translator", "Good morning.", "shared", stream=True)
        self.assertEqual(answer.status, 200, answer.body)
        pieces = re.findall(r'"content":\s*"([^"]+)"', answer.body.decode())
        self.assertEqual("".join(pieces), "Moin from elsewhere")
        self.assertTrue(answer.body.endswith(b"data: [DONE]\n\n"))

    def test_a_skill_finds_its_specialist_and_internal_data_stays_home(self):
        self.assertEqual(self.kontor.chat("hanse/translation", "Good morning.", "shared").headers.get("hanse-route"), "institut/translator")
        answer = self.kontor.chat("hanse/auto", "Good morning.", "internal")
        self.assertEqual(answer.status, 200, answer.body)
        self.assertIsNone(answer.headers.get("hanse-route"))
        self.assertEqual(len(self.server.asked), 1)

    def test_names_leave_under_pseudonyms_and_come_back(self):
        def echo(handler, body):
            self.server.json(handler, {"choices": [{"index": 0, "message": {"role": "assistant", "content": "To " + body["messages"][0]["content"]}, "finish_reason": "stop"}]})

        self.server.behave = echo
        answer = self.kontor.chat("hanse/translation", "Thank you, Anna Schmidt.", "customers")
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(answer.text, "To Thank you, Anna Schmidt.")
        self.assertEqual(answer.headers["hanse-pseudonyms"], "replaced person 1; 1 pseudonym, 1 restored")
        self.assertNotIn(b"Schmidt", self.server.asked[0]["raw"])

    def test_a_refusal_names_reason_and_remedy_at_home_and_nothing_leaves(self):
        for model in ("hanse/translation", "institut/translator"):
            answer = self.kontor.chat(model, "The recipe.", "trade-secret")
            self.assertEqual(answer.status, 403, answer.body)
            self.assertIn("institut", answer.refusal)
        self.assertEqual(self.server.asked, [])

    def test_what_is_offered_to_nobody_is_not_there_for_anybody(self):
        answer = self.kontor.chat("hafenamt/harbour", "Who may moor?", "shared")
        self.assertEqual(answer.status, 404)
        self.assertEqual(self.hafenamt.chat("harbour", "Hello.").status, 200)

    def test_route_explains_each_candidate_without_asking_anybody(self):
        planned = self.kontor.ask("/v1/hanse/route", {"model": "hanse/translation", "label": "customers"}).json()
        self.assertEqual([(each["place"], each["model"], each["after"]) for each in planned["order"]], [("institut", "translator", ["pseudonymise"])])
        refused = self.kontor.ask("/v1/hanse/route", {"model": "hanse/translation", "label": "trade-secret"}).json()
        self.assertEqual(refused["order"], [])
        self.assertIn("rule", [each["exclusion"] for each in refused["excluded"]])
        self.assertEqual(self.server.asked, [])

    def test_an_error_of_the_caller_comes_back_as_it_is(self):
        def wrong(handler, body):
            self.server.json(handler, {"error": {"message": "temperature is too high", "type": "invalid_request_error"}}, 400)

        self.server.behave = wrong
        answer = self.kontor.chat("institut/translator", "Hello.", "shared")
        self.assertEqual((answer.status, answer.refusal), (400, "temperature is too high"))


class Receipts(InAFederation):
    def test_the_far_receipt_is_checked_here_and_the_near_record_says_so(self):
        for stream in (False, True):
            before = receipts_counted(self.kontor, "yes")
            answer = self.kontor.chat("institut/translator", "Good morning.", "shared", stream=stream)
            self.assertEqual(answer.status, 200, answer.body)
            near = record_of(self.kontor, answer)
            self.assertEqual(near["parents"], [near["partner"]["receipt"]])
            self.assertEqual(near["partner"], {"member": "institut", "receipt": near["parents"][0], "verified": "yes"})
            far = record_in(self.institut.command("journal", "receipt", near["parents"][0]).stdout)
            self.assertEqual(far["remote"]["from"], "kontor")
            self.assertRegex(far["remote"]["key"], "^[0-9a-f]{32}$")
            self.assertEqual(receipts_counted(self.kontor, "yes"), before + 1)
        self.assertEqual(receipts_counted(self.kontor, "no"), 0)

    def test_z_a_member_whose_log_was_put_back_is_found_out(self):
        institut, kontor = self.institut, self.kontor
        said = lambda: kontor.chat("institut/translator", "Good morning.", "shared").status == 200  # noqa: E731
        self.assertTrue(said())
        institut.stop()
        shutil.copytree(institut.data / "journal", institut.data / "journal.before")
        for _ in range(2):  # the second time with the log of before
            institut.start()
            wait_until(said, "the institute to answer again", PATIENCE)
            wait_until(said, "and again", PATIENCE)
            time.sleep(1)
            institut.stop()
            if (institut.data / "journal.before").exists():
                shutil.rmtree(institut.data / "journal")
                (institut.data / "journal.before").rename(institut.data / "journal")
        institut.start()

        def found() -> bool:
            said()
            return "partner_log_forked" in kontor.log()

        wait_until(found, "the two logs to be seen", PATIENCE)
        proof = (kontor.data / "federation/evidence/institut").read_text()
        self.assertEqual(proof.count("\n\u2014 "), 4, "two checkpoints, each with both signatures of the log")
        states = json.loads(kontor.command("federation", "status", "--json").stdout)["partners"]
        self.assertTrue(next(each for each in states if each["member"] == "institut")["log_forked"])


class WithoutReceipts(InAFederation):
    """The institute keeps no journal."""

    @classmethod
    def found(cls):
        with open(cls.federation.institut.data / "hanse.toml", "a", encoding="utf-8") as config:
            config.write("\n[journal]\nrecord = false\n")
        super().found()

    def test_the_answer_is_taken_and_the_record_says_what_it_is_worth(self):
        answer = self.kontor.chat("institut/translator", "Good morning.", "shared")
        self.assertEqual(answer.status, 200, answer.body)
        near = record_of(self.kontor, answer)
        self.assertEqual(near["partner"], {"member": "institut", "verified": "no", "reason": "the charter has no log keys for institut"})
        self.assertEqual((receipts_counted(self.kontor, "yes"), receipts_counted(self.kontor, "no")), (0, 1))


class WithReceiptsDemanded(WithoutReceipts):
    demanded = ("--receipts-demanded",)

    def test_the_answer_is_taken_and_the_record_says_what_it_is_worth(self):
        # Its head has left before its end is known to prove nothing: so it has no good end.
        with self.assertRaises((OSError, http.client.HTTPException)):
            self.kontor.chat("institut/translator", "Good morning.", "shared")
        near = json.loads(self.kontor.command("journal", "search", "--kind", "answer", "--json").stdout.splitlines()[-1])
        near = near.get("record", near)
        self.assertEqual((near["outcome"], near["partner"]["verified"]), ("partner_unproven", "no"))
        self.assertEqual(receipts_counted(self.kontor, "no"), 1)


class Wire(InAFederation):
    def client(self, *options: str) -> str:
        done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{self.ports['institut']}", "-alpn", "hanse/1", *options], input=b"", capture_output=True, timeout=30)
        return (done.stdout + done.stderr).decode(errors="replace")

    def test_captured_traffic_holds_no_plain_text(self):
        secret = "Zanzibar-Quittung-4711"
        answer = self.kontor.chat("institut/translator", f"Please translate {secret}.", "shared")
        self.assertEqual(answer.status, 200, answer.body)
        self.assertIn(secret.encode(), self.server.asked[0]["raw"])
        for relay in self.relays.values():
            self.assertNotIn(secret.encode(), bytes(relay.seen))
            self.assertNotIn(b"Moin", bytes(relay.seen))
        self.assertGreater(sum(len(relay.seen) for relay in self.relays.values()), 10_000)

    def test_the_handshake_shows_a_hybrid_group_and_an_ml_dsa_certificate(self):
        said = self.client("-groups", "X25519MLKEM768", "-showcerts")
        self.assertRegex(said, r"Negotiated TLS1\.3 group: X25519MLKEM768")
        self.assertRegex(said, r"(?i)Peer signature type: mldsa65")
        certificate = re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", said, re.DOTALL)[0]
        text = subprocess.run(["openssl", "x509", "-noout", "-text"], input=certificate.encode(), capture_output=True, check=True).stdout.decode()
        self.assertIn("ML-DSA-65", text)
        self.assertIn("O=institut", text.replace(" ", "").replace("O=institut", "O=institut"))

    def test_a_client_with_classical_groups_only_is_refused(self):
        said = self.client("-groups", "X25519:P-256:P-384")
        self.assertIn("handshake failure", said)
        self.assertNotIn("BEGIN CERTIFICATE", said)

    def test_an_older_tls_is_refused(self):
        self.assertNotIn("BEGIN CERTIFICATE", self.client("-tls1_2"))


class WhenThingsFail(InAFederation):
    def test_a_connection_that_is_cut_comes_back_by_itself(self):
        for relay in self.relays.values():
            relay.cut()
        answer = self.kontor.chat("institut/translator", "Good morning.", "shared")
        self.assertEqual(answer.status, 200, answer.body)

    def test_a_partner_that_breaks_off_after_its_first_token_is_told_of(self):
        def slow(handler, body):
            handler.send_response(200)
            handler.send_header("content-type", "text/event-stream")
            handler.end_headers()
            handler.wfile.write(b'data: {"choices":[{"index":0,"delta":{"content":"Half"}}]}\n\n')
            handler.wfile.flush()
            time.sleep(3)
            handler.close_connection = True

        self.server.behave = slow
        parts = urllib.parse.urlsplit(self.kontor.url)
        stream = Stream((parts.hostname, parts.port), {"model": "institut/translator", "messages": [{"role": "user", "content": "Tell."}], "stream": True})
        stream.read_until(b"Half")
        for relay in self.relays.values():
            relay.cut()
        try:
            stream.read_until(b"after its answer had begun")
        finally:
            stream.close()
        self.assertNotIn(b"[DONE]", stream.raw)

    def test_a_partner_that_is_down_is_told_of_soon_and_others_are_asked(self):
        self.institut.stop(signal.SIGKILL)
        try:
            began = time.monotonic()
            answer = self.kontor.chat("institut/translator", "Good morning.", "shared")
            self.assertEqual(answer.status, 503, answer.body)
            self.assertIn("institut", answer.refusal)
            self.assertLess(time.monotonic() - began, 6)
            answer = self.kontor.chat("hanse/auto", "Good morning.", "shared")
            self.assertEqual(answer.status, 200, answer.body)
            self.assertIsNone(answer.headers.get("hanse-route"))
        finally:
            self.institut.start()
        wait_until(lambda: self.kontor.connected("institut"), "the institute to be back", PATIENCE)
        self.server.behave = self.server.well
        wait_until(lambda: self.kontor.chat("institut/translator", "Good morning.", "shared").status == 200, "the institute to answer again", PATIENCE)


class Members(InAFederation):
    def test_commands_show_the_charter_the_same_on_all_sides(self):
        sheets = [json.loads(member.command("federation", "members", "--json").stdout) for member in self.federation.members]
        self.assertEqual({sheet["fingerprint"] for sheet in sheets}, {sheets[0]["fingerprint"]})
        self.assertLessEqual({"hafenamt", "institut", "kontor"}, {member["name"] for member in sheets[0]["members"]})
        self.assertIn("FINGERABDRUCK", self.kontor.command("federation", "members", "--lang", "de").stdout)

    def test_a_code_is_good_once(self):
        code = self.kontor.command("federation", "invite", "speicher", "--yes").stdout.strip()
        with tempfile.TemporaryDirectory() as folder:
            first = subprocess.run([BINARY, "federation", "join", code, "--yes", "--country", "DE", "--data", f"{folder}/a"], capture_output=True, text=True, timeout=PATIENCE)
            self.assertEqual(first.returncode, 0, first.stderr)
            second = subprocess.run([BINARY, "federation", "join", code, "--yes", "--country", "DE", "--data", f"{folder}/b"], capture_output=True, text=True, timeout=PATIENCE)
            self.assertNotEqual(second.returncode, 0)
            self.assertFalse(Path(folder, "b/federation/charter/000001").exists())

    def test_joining_asks_and_a_script_must_say_yes(self):
        code = self.kontor.command("federation", "invite", "werft", "--yes").stdout.strip()
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([BINARY, "federation", "join", code, "--country", "DE", "--data", folder], capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL)
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertIn("kontor", done.stdout)
            self.assertFalse(Path(folder, "federation/charter/000001").exists())

    def test_z_a_member_that_is_removed_is_cut_within_five_seconds(self):
        self.assertTrue(self.hafenamt.connected("institut", "kontor"))
        began = time.monotonic()
        self.kontor.command("federation", "revoke", "hafenamt", "--yes")
        # Also at the institute, which had it from the company alone.
        wait_until(lambda: "partner_removed" in self.institut.log() and "partner_removed" in self.kontor.log(), "both to cut it", 10)
        self.assertLess(time.monotonic() - began, 5)
        self.assertEqual([member["name"] for member in json.loads(self.institut.command("federation", "members", "--json").stdout)["members"] if member["name"] == "hafenamt"], [])
        self.assertEqual(self.kontor.chat("institut/translator", "Good morning.", "shared").status, 200)


if __name__ == "__main__":
    main()
