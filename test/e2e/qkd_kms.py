# SPDX-License-Identifier: Apache-2.0
"""A key management entity as ETSI GS QKD 014 V1.1.1 (2019-02) describes it, for tests: both sites in one process, which so
have the same keys without a fibre. Who asks is known by the common name of the client's certificate (section 4.2)."""

import base64
import http.server
import json
import os
import ssl
import threading
import urllib.parse
import uuid


class KeyManagement:
    """Two entities, at alice_url and bob_url, over one store of keys. `fails` answers the next requests with that status."""

    KEY_SIZE = 256

    def __init__(self, certificate: str, key: str, ca: str):
        self.keys: dict[str, dict] = {}  # by id: key, master, slaves that may fetch it
        self.asked: list[tuple[str, str, str]] = []  # method, path, who
        self.fails = 0
        self.lock = threading.Lock()
        self.servers = [self.serve(name, certificate, key, ca) for name in ("kme-alice", "kme-bob")]

    def serve(self, name: str, certificate: str, key: str, ca: str) -> http.server.ThreadingHTTPServer:
        kms = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.answer(None)

            def do_POST(self):
                self.answer(self.rfile.read(int(self.headers.get("content-length", 0))))

            def answer(self, body):
                status, value = kms.handle(name, self.command, self.path, self.who(), body)
                data = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def who(self) -> str:
                subject = dict(pair for part in self.connection.getpeercert().get("subject", ()) for pair in part)
                return subject.get("commonName", "")

            def log_message(self, *_):
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(certificate, key)
        context.load_verify_locations(ca)
        context.verify_mode = ssl.CERT_REQUIRED
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    @property
    def alice_url(self) -> str:
        return f"https://127.0.0.1:{self.servers[0].server_port}"

    @property
    def bob_url(self) -> str:
        return f"https://127.0.0.1:{self.servers[1].server_port}"

    def close(self) -> None:
        for server in self.servers:
            server.shutdown()
            server.server_close()

    @staticmethod
    def error(status: int, message: str, **details):
        return status, {"message": message, **({"details": [details]} if details else {})}  # section 6.6

    def handle(self, kme: str, method: str, path: str, who: str, body: bytes | None):
        with self.lock:
            self.asked.append((method, path, who))
            if self.fails:
                return self.error(self.fails, "the device is out of order")
            parts = urllib.parse.urlsplit(path)
            words = [urllib.parse.unquote(word) for word in parts.path.split("/")]
            if words[:4] != ["", "api", "v1", "keys"] or len(words) != 6:
                return self.error(404, "no such call")
            other, call = words[4], words[5]
            query = {name: values[0] for name, values in urllib.parse.parse_qs(parts.query).items()}
            try:
                wanted = json.loads(body) if body else {}
            except ValueError:
                return self.error(400, "the body is not JSON")
            if call == "status" and method == "GET":
                return self.status(kme, who, other)
            if call == "enc_keys":
                return self.new_keys(who, other, {**query, **wanted})
            if call == "dec_keys":
                ids = [query["key_ID"]] if method == "GET" and "key_ID" in query else [each.get("key_ID") for each in wanted.get("key_IDs", [])]
                return self.old_keys(who, other, ids)
            return self.error(405, "this call does not take this method")

    def status(self, kme: str, master: str, slave: str):  # section 5.1
        return 200, {"source_KME_ID": kme, "target_KME_ID": "kme-bob" if kme == "kme-alice" else "kme-alice", "master_SAE_ID": master, "slave_SAE_ID": slave, "key_size": self.KEY_SIZE,
                     "stored_key_count": 25000, "max_key_count": 100000, "max_key_per_request": 128, "max_key_size": 1024, "min_key_size": 64, "max_SAE_ID_count": 1}

    def new_keys(self, master: str, slave: str, wanted: dict):  # section 5.2
        number, size = int(wanted.get("number", 1)), int(wanted.get("size", self.KEY_SIZE))
        if size % 8:
            return self.error(400, "size shall be a multiple of 8", size=size)
        if not 1 <= number <= 128 or not 64 <= size <= 1024:
            return self.error(400, "number or size is not supported")
        slaves = {slave, *wanted.get("additional_slave_SAE_IDs", [])}
        made = []
        for _ in range(number):
            key_id, key = str(uuid.uuid4()), base64.b64encode(os.urandom(size // 8)).decode()
            self.keys[key_id] = {"key": key, "master": master, "slaves": set(slaves)}
            made.append({"key_ID": key_id, "key": key})
        return 200, {"keys": made}

    def old_keys(self, slave: str, master: str, ids: list):  # section 5.3: each key once for each slave
        if not ids or None in ids:
            return self.error(400, "key_IDs are missing")
        for key_id in ids:
            known = self.keys.get(key_id)
            if known is None or known["master"] != master or slave not in known["slaves"]:
                return self.error(401, "this SAE may not have that key", key_ID=key_id)
        found = []
        for key_id in ids:
            self.keys[key_id]["slaves"].discard(slave)
            found.append({"key_ID": key_id, "key": self.keys[key_id]["key"]})
        return 200, {"keys": found}
