"""What every service of the shop shares: answering JSON over HTTP, and calling the next service in the same context.

There is nothing of MicroStax in here. A service only does what any traced service does: it hands the context headers of
the request that it is answering on to the requests that it makes. One of the four is enough.
"""

import http.server
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request

CONTEXT_HEADERS = ("x-msx-env", "baggage", "tracestate", "traceparent")


class Failure(Exception):
    """An answer that is not 200; `cause` is what the next service said."""

    def __init__(self, status, message, cause=None):
        super().__init__(message)
        self.status = status
        self.answer = {"error": message, **({"cause": cause} if cause else {})}


class Request:
    """The request that is being answered."""

    def __init__(self, target, headers):
        url = urllib.parse.urlsplit(target)
        self.path = url.path
        self.query = dict(urllib.parse.parse_qsl(url.query))
        self.context = {name: headers[name] for name in CONTEXT_HEADERS if name in headers}

    def number(self, name):
        try:
            return int(self.query[name])
        except (KeyError, ValueError):
            raise Failure(400, f"{self.path} needs a number: ?{name}=1") from None

    def call(self, url, **query):
        """GETs another service's JSON, in this request's context."""
        url = f"{url}?{urllib.parse.urlencode(query)}"
        try:
            with urllib.request.urlopen(urllib.request.Request(url, headers=self.context), timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            status = 404 if error.code == 404 else 502
            raise Failure(status, f"{url} answered {error.code}", cause=parsed(error.read())) from None
        except OSError as error:
            raise Failure(502, f"{url}: {error}") from None


def parsed(body):
    text = body.decode(errors="replace")
    try:
        return json.loads(text)
    except ValueError:
        return text


def rendered(answer):
    """JSON with a line for each top-level key, so that two answers can be compared by eye and by diff."""
    lines = (f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in answer.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def serve(routes):
    """Answers on $PORT for ever; `routes` maps a path to a function of a Request that returns what becomes JSON."""
    routes = {"/health": lambda request: {"status": "ok"}, **routes}

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # connections are kept
        wbufsize = -1  # head and body leave in one packet

        def do_GET(self):
            request = Request(self.path, self.headers)
            try:
                if request.path not in routes:
                    raise Failure(404, f"no such path: {request.path}")
                status, answer = 200, routes[request.path](request)
            except Failure as failure:
                status, answer = failure.status, failure.answer
            body = rendered(answer).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format, *args):
            if self.path != "/health":
                context = self.headers.get("x-msx-env", "-")
                print(f"{format % args} context={context}", flush=True)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler)
    print(f"{os.path.basename(sys.argv[0])} listens on port {os.environ['PORT']}", flush=True)
    server.serve_forever()
