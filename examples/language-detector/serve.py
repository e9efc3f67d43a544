"""A small HTTP server for the model, with nothing but the standard library.

GET /health-check tells whether it is ready; POST /predictions takes {"input": {"text": "…"}}.
"""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from predict import Predictor

MODEL = Predictor()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/health-check":
            self.answer(200, {"status": "READY"})
        else:
            self.answer(404, {"detail": "there is /health-check and /predictions"})

    def do_POST(self) -> None:
        if self.path != "/predictions":
            self.answer(404, {"detail": "there is /health-check and /predictions"})
            return
        try:
            length = int(self.headers.get("Content-Length", "0"))
            text = json.loads(self.rfile.read(length))["input"]["text"]
        except (ValueError, KeyError, TypeError):
            self.answer(422, {"detail": 'the body must be {"input": {"text": "…"}}'})
            return
        self.answer(200, {"status": "succeeded", "output": MODEL.run(text)})

    def answer(self, status: int, body: dict) -> None:
        payload = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)


if __name__ == "__main__":
    MODEL.setup()
    port = int(os.environ.get("PORT", "5000"))
    ThreadingHTTPServer(("0.0.0.0", port), Handler).serve_forever()
