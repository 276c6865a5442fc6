"""A service that is well until the file `broken` appears beside it, and then has the fault that it is named after.

Its port is PORT. What it has to be started anew for, it has from its next start on; the rest at once.
"""

import os
import signal
import socket
import sys
import time

BROKEN = os.path.exists("broken")
FAULT = sys.argv[1]
PORT = int(os.environ.get("PORT", "0"))


def serve(address="127.0.0.1", port=PORT):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, port))
    listener.listen(64)
    while True:
        connection, _ = listener.accept()
        with connection:
            head = connection.recv(4096).decode()
            if head:
                reply(connection, head.split()[1])


def reply(connection, path):
    status = "200 OK"
    if os.path.exists("broken"):
        if FAULT == "probe-path-missing":
            status = "404 Not Found"
        elif FAULT == "probe-answers-error":
            status = "500 Internal Server Error"
        elif FAULT == "probe-needs-login":
            status = "401 Unauthorized"
        elif FAULT == "probe-times-out" or path == "/live":
            time.sleep(0.4)
            return
        elif FAULT == "speaks-no-http":
            connection.sendall(b"220 ward ESMTP\r\n")
            return
    connection.sendall(f"HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())


def missing_module():
    import stripe_sdk_that_nobody_has  # noqa: F401


def missing_library():
    import ctypes

    ctypes.CDLL("libnobodyhasit.so.9")


def too_many_open_files():
    import resource

    resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))
    kept = [open("/dev/null") for _ in range(32)]
    print(len(kept))


def out_of_memory():
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (1 << 28, 1 << 28))
    print(len(bytearray(1 << 30)))


def segmentation_fault():
    import ctypes

    ctypes.string_at(0)


def bad_configuration():
    import argparse

    parser = argparse.ArgumentParser()
    parser.parse_args(["--colour", "blue"])


def disk_full():
    with open("/dev/full", "w") as file:
        file.write("x" * 100000)


def exits():
    print("the quota of this account is used up")
    sys.exit(4)


def listens_on_nothing():
    print("thinking")
    time.sleep(600)


def connect(host, port):
    socket.create_connection((host, port), timeout=5)


FAULTS = {
    "missing-module": missing_module,
    "missing-library": missing_library,
    "missing-variable": lambda: os.environ["PAYMENTS_TOKEN"],
    "missing-file": lambda: open("/nowhere/settings.json"),
    "syntax-error": lambda: compile("def (:\n", "app.py", "exec"),
    "disk-full": disk_full,
    "too-many-open-files": too_many_open_files,
    "out-of-memory": out_of_memory,
    "permission-denied": lambda: open("private"),
    "literal-address": lambda: connect("localhost", 1),
    "connection-refused": lambda: connect("127.0.0.1", 1),
    "follower": lambda: connect("127.0.0.1", 1),
    "service-name-as-host": lambda: connect("healthy", 8080),
    "host-unknown": lambda: connect("db.example.invalid", 5432),
    "fixed-port-taken": lambda: serve(port=int(os.environ["NEIGHBOUR"])),
    "listens-elsewhere": lambda: serve(port=0),
    "listens-on-other-address": lambda: serve(address="127.0.0.2"),
    "listens-on-nothing": listens_on_nothing,
    "killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "segmentation-fault": segmentation_fault,
    "aborted": os.abort,
    "uncaught-exception": lambda: {}.popitem(),
    "ends-at-once": lambda: sys.exit(0),
    "exits": exits,
    "bad-configuration": bad_configuration,
}

print("ERROR: a word that means nothing here", flush=True)
if BROKEN and FAULT in FAULTS:
    FAULTS[FAULT]()
if FAULT == "log-probe-never-matches" and not BROKEN:
    print("up and serving", flush=True)
if "--slow" in sys.argv:
    time.sleep(600)
serve()
