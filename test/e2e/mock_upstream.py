# SPDX-License-Identifier: Apache-2.0
"""A model server that speaks OpenAI's protocol as a test tells it to: well, slowly, brokenly, or not at all."""

import http.server
import json
import threading


class MockUpstream:
    """`behave(handler, body)` answers each POST; the default streams `words` or gives them at once."""

    def __init__(self, words=("Moin", " from", " elsewhere")):
        self.words = words
        self.behave = self.well
        self.asked: list[dict] = []
        self.headers: list[dict] = []
        mock = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                if self.path in ("/v1/models", "/health", "/v1/health"):
                    mock.json(self, {"object": "list", "data": [{"id": "there", "object": "model"}]})
                else:
                    mock.json(self, {"error": {"message": "no", "type": "invalid_request_error"}}, 404)

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                mock.asked.append({"path": self.path, "raw": body, **json.loads(body)})
                mock.headers.append({k.lower(): v for k, v in self.headers.items()})
                try:
                    mock.behave(self, mock.asked[-1])
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/v1"

    def __enter__(self) -> "MockUpstream":
        self.thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.server.shutdown()
        self.server.server_close()

    # Ways to behave

    def json(self, handler, value, status: int = 200, headers=()) -> None:
        data = json.dumps(value).encode()
        handler.send_response(status)
        for name, text in (("content-type", "application/json"), ("content-length", str(len(data))), *headers):
            handler.send_header(name, text)
        handler.end_headers()
        handler.wfile.write(data)

    def begin_stream(self, handler) -> None:
        handler.send_response(200)
        handler.send_header("content-type", "text/event-stream")
        handler.send_header("transfer-encoding", "chunked")
        handler.end_headers()

    def frame(self, handler, text: str) -> None:
        data = f"data: {text}\n\n".encode()
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        handler.wfile.flush()

    def delta(self, word: str) -> str:
        return json.dumps({"id": "chatcmpl-there", "object": "chat.completion.chunk", "created": 1, "model": "there",
                           "choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}]})

    def well(self, handler, body) -> None:
        usage = {"prompt_tokens": 3, "completion_tokens": len(self.words), "total_tokens": 3 + len(self.words)}
        if not body.get("stream"):
            return self.json(handler, {"id": "chatcmpl-there", "object": "chat.completion", "created": 1, "model": "there", "usage": usage, "choices": [
                {"index": 0, "message": {"role": "assistant", "content": "".join(self.words)}, "finish_reason": "stop"}]})
        self.begin_stream(handler)
        for word in self.words:
            self.frame(handler, self.delta(word))
        self.frame(handler, json.dumps({"id": "chatcmpl-there", "object": "chat.completion.chunk", "created": 1, "model": "there",
                                        "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}))
        self.frame(handler, "[DONE]")
        handler.wfile.write(b"0\r\n\r\n")

    def break_off_after(self, frames: int):
        def behave(handler, _):
            self.begin_stream(handler)
            for word in self.words[:frames]:
                self.frame(handler, self.delta(word))
            handler.close_connection = True
            handler.connection.close()
        return behave

    def fail_first(self, times: int, status: int = 503):
        left = [times]

        def behave(handler, body):
            if left[0] > 0:
                left[0] -= 1
                return self.json(handler, {"error": {"message": "busy", "type": "server_error"}}, status)
            return self.well(handler, body)
        return behave
