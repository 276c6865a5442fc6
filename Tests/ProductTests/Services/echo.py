"""A small HTTP service for tests: says who it is, calls the next one, and behaves as its environment tells it to."""

import json
import os
import signal
import sys
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NAME = os.environ["MSX_SERVICE"]
VERSION = os.environ.get("VERSION", "v1")
CARRIERS = ("x-msx-env", "baggage", "tracestate", "traceparent")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/die":
            print("asked to die", flush=True)
            os._exit(7)
        status = int(os.environ.get("STATUS", "200"))
        answer = {"service": NAME, "version": VERSION, "context": self.headers.get("x-msx-env")}
        if next_url := os.environ.get("NEXT_URL"):
            forward = os.environ.get("FORWARD", "yes")
            names = CARRIERS if forward == "yes" else forward.split(",")
            headers = {key: self.headers[key] for key in names if self.headers.get(key)}
            request = urllib.request.Request(next_url + self.path, headers=headers)
            with urllib.request.urlopen(request, timeout=10) as response:
                answer["next"] = json.load(response)
                answer["nextProvider"] = response.headers.get("x-msx-provider")
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, text, *arguments):
        print(text % arguments, flush=True)


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print(f"{NAME} listens", flush=True)
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
