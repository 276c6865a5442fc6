"""A small service that starts fast, says who it is, and writes down what cannot be taken back.

GET answers with its environment, service, instance, version and context, and with the next service's answer where there is
one. POST /entry adds a line to the ledger; `member.py entry <what>` does the same as a command.
"""

import json
import os
import socket
import sys
import threading

WHO = {
    "environment": os.environ["MSX_ENV_ID"],
    "service": os.environ["MSX_SERVICE"],
    "instance": os.environ["MSX_INSTANCE"],
    "version": os.environ.get("VERSION", "v1"),
}
CARRIERS = ("x-msx-env", "baggage", "tracestate", "traceparent")


def enter(what):
    line = f"{WHO['environment']} {what} {os.getpid()}\n"
    file = os.open(os.environ["LEDGER"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(file, line.encode())
    os.close(file)


def read_head(stream):
    """The first line and the fields, or None at the end of the connection."""
    first = stream.readline(65536).decode("latin-1").split()
    fields = {}
    while line := stream.readline(65536).decode("latin-1").strip():
        name, _, value = line.partition(":")
        fields[name.strip().lower()] = value.strip()
    return (first, fields) if first else None


def call(address, path, context):
    """GETs the next service; gives its status, what it said, and who it was by the gateway's word."""
    host, _, port = address.removeprefix("http://").strip("/").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        lines = [f"GET {path} HTTP/1.1", f"host: {host}:{port}", "connection: close"]
        lines += [f"{name}: {value}" for name, value in context.items()]
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        stream = connection.makefile("rb")
        head = read_head(stream)
        if head is None:
            raise OSError("closed without an answer")
        (_, status, *_), fields = head
        body = stream.read(int(fields["content-length"])) if "content-length" in fields else stream.read()
        if len(body) < int(fields.get("content-length", 0)):
            raise OSError("cut off")
        return int(status), body.decode(), fields.get("x-msx-error")


def answer(method, path, fields):
    """Status and what is said."""
    if method == "POST" and path == "/entry":
        enter("http")
        return 200, {}
    said = {**WHO, "context": fields.get("x-msx-env")}
    if (following := os.environ.get("NEXT_URL")) and path != "/health":
        context = {name: fields[name] for name in CARRIERS if name in fields}
        try:
            status, body, error = call(following, path, context)
        except OSError as problem:
            status, body, error = 0, str(problem), "broken"
        if status != 200:
            return 502, {**said, "failed": error or body or status}
        said["next"] = json.loads(body)
    return 200, said


def converse(connection):
    with connection, connection.makefile("rb") as stream:
        while (head := read_head(stream)) is not None:
            (method, path, *_), fields = head
            stream.read(int(fields.get("content-length", 0)))
            status, said = answer(method, path, fields)
            body = json.dumps(said).encode()
            text = f"HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
            connection.sendall(text.encode() + body)
            if fields.get("connection", "").lower() == "close":
                return


def serve():
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", int(os.environ["PORT"])))
    listener.listen(128)
    print("listens", flush=True)
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=quietly, args=(connection,), daemon=True).start()


def quietly(connection):
    try:
        converse(connection)
    except (OSError, ValueError):
        pass  # whoever called has gone


if sys.argv[1:2] == ["entry"]:
    enter(sys.argv[2])
else:
    serve()
