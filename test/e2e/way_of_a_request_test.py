# SPDX-License-Identifier: Apache-2.0
"""docs/way-of-a-request.md as an assertion: a request leaves one span for each stop, in the order of that page."""

import http.server
import json
import threading
import unittest

from hanse_node import Node, main, wait_until
from mock_upstream import MockUpstream


class Collector:
    """Takes OTLP/HTTP JSON and keeps the spans."""

    def __init__(self):
        self.spans: list[dict] = []
        self.paths: set[str] = set()
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                collector.paths.add(self.path)
                for resource in body["resourceSpans"]:
                    for scope in resource["scopeSpans"]:
                        collector.spans += scope["spans"]
                self.send_response(200)
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def trace_of(self, trace: str) -> tuple[dict, list[dict]] | None:
        """The request's own span and those of its stops, in time's order."""
        spans = [span for span in self.spans if span["traceId"].lower() == trace]
        roots = [span for span in spans if span["kind"] in (2, "SPAN_KIND_SERVER")]
        if not roots:
            return None
        stops = [span for span in spans if span.get("parentSpanId") == roots[0]["spanId"]]
        return roots[0], sorted(stops, key=lambda span: (int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])))


TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
STOPS = ["net", "api", "task", "label", "engine", "journal", "api"]


class Way(unittest.TestCase):
    def setUp(self):
        self.collector = Collector()
        self.addCleanup(self.collector.server.server_close)
        self.addCleanup(self.collector.server.shutdown)

    def walk(self, node: Node, **more):
        answer = node.chat("The secret word is kingfisher.", headers={"traceparent": f"00-{TRACE}-{PARENT}-01"}, **more)
        self.assertEqual(answer.status, 200)
        root, stops = wait_until(lambda: self.collector.trace_of(TRACE), "the trace", 30)
        self.assertEqual(self.collector.paths, {"/v1/traces"})
        self.assertEqual(root["parentSpanId"].lower(), PARENT)
        names = [span["name"].split(" ")[0].split(".")[0] for span in stops]
        self.assertEqual(names, STOPS)
        begin, end = int(root["startTimeUnixNano"]), int(root["endTimeUnixNano"])
        for earlier, later in zip(stops, stops[1:]):
            self.assertLessEqual(int(earlier["endTimeUnixNano"]), int(later["startTimeUnixNano"]))
        for span in stops:
            self.assertTrue(begin <= int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"]) <= end, span)
        self.assertNotIn("kingfisher", json.dumps(self.collector.spans))
        return root

    def test_a_model_here_is_five_stops_away(self):
        with Node(telemetry={"otlp_endpoint": self.collector.url}) as node:
            root = self.walk(node)
        self.assertIn("/v1/chat/completions", json.dumps(root))

    def test_a_stream_goes_the_same_way(self):
        with Node(telemetry={"otlp_endpoint": self.collector.url}) as node:
            self.walk(node, stream=True)

    def test_a_model_elsewhere_is_as_far_and_the_trace_goes_on_there(self):
        with MockUpstream() as mock, Node(models=[], upstreams=[{"name": "elsewhere", "url": mock.url, "renamed": {"small": "there"}}],
                                          telemetry={"otlp_endpoint": self.collector.url}) as node:
            self.walk(node)
            self.assertIn(TRACE, mock.headers[0].get("traceparent", ""))

    def test_a_collector_that_is_not_there_costs_no_request(self):
        with Node(telemetry={"otlp_endpoint": "http://127.0.0.1:9"}) as node:
            for _ in range(5):
                self.assertEqual(node.chat().status, 200)


if __name__ == "__main__":
    main()
