"""CPU per request of HTTP/2 to a service of HTTP/1.1, and of unary calls of gRPC, beside nginx, HAProxy and Envoy."""

import contextlib
import os
import re
import statistics
import subprocess
import time

import peers
from gateway import LOAD_CORE, PROXY_CORE, rotated
from processes import cpu_seconds, free_port, running

CONNECTIONS, STREAMS = 4, 8
KINDS = {"HTTP/2": "http", "gRPC": "grpc"}


def measure(folder, rounds, seconds, tell):
    """{kind: {proxy: {"cpu": [µs per request…], "rate": […]}}}, a value for each round."""
    message = f"{folder}/call.bin"
    with open(message, "wb") as file:
        # A message of 100 bytes behind its prefix: not compressed, four bytes of length.
        file.write(b"\0" + (100).to_bytes(4, "big") + b"x" * 100)
    found = {}
    with contextlib.ExitStack() as stack:
        for kind, transport in KINDS.items():
            found[kind] = {name: {"cpu": [], "rate": []} for name in peers.ALL}
            pids, (a, b) = origins(stack, folder, kind)
            proxies = {}
            for name, command in peers.ALL.items():
                port, log = free_port(), f"{folder}/{kind.replace('/', '')}-{name}.log"
                home = f"{folder}/{kind.replace('/', '')}-{name}"
                os.makedirs(home, exist_ok=True)
                process = stack.enter_context(running(command(home, port, a, b, transport), log, PROXY_CORE))
                await_stream(kind, port, message, log, process)
                proxies[name] = (process.pid, port)
            for number in range(rounds):
                tell(f"{kind}, round {number + 1} of {rounds}")
                for name in rotated(list(proxies), number):
                    pid, port = proxies[name]
                    before = cpu_seconds(pid)
                    requests, took = load(kind, port, message, seconds)
                    found[kind][name]["cpu"].append((cpu_seconds(pid) - before) / requests * 1e6)
                    found[kind][name]["rate"].append(requests / took)
    return found


def origins(stack, folder, kind):
    """Two services: nginx for HTTP/1.1; for gRPC nghttpd, whose answer is a message and a trailer with the status."""
    ports = (free_port(), free_port())
    if kind == "HTTP/2":
        home = f"{folder}/http2-origin"
        os.makedirs(home, exist_ok=True)
        process = stack.enter_context(running(peers.origin(home, ports), f"{home}/log", LOAD_CORE))
        return [process.pid], ports
    pids = []
    for letter, port in zip("AB", ports):
        root = f"{folder}/grpc-{letter}"
        os.makedirs(f"{root}/test.Chain", exist_ok=True)
        with open(f"{root}/test.Chain/Who", "wb") as file:
            file.write(b"\0" + (100).to_bytes(4, "big") + letter.encode() * 100)
        command = ["nghttpd", "--no-tls", "-d", root, "-a", "127.0.0.1", "--trailer", "grpc-status: 0", str(port)]
        pids.append(stack.enter_context(running(command, f"{root}/log", LOAD_CORE)).pid)
    return pids, ports


def await_stream(kind, port, message, log, process, limit=20):
    """Returns when one request was answered by origin B; fails with the end of the log."""
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline and process.poll() is None:
        done = subprocess.run(["nghttp", *fields(kind), *body(kind, message), url(kind, port)], capture_output=True)
        if done.stdout.lstrip(b"\0\0\0\0d").startswith(b"B"):
            return
        time.sleep(0.05)
    with open(log, errors="replace") as file:
        raise SystemExit(f"error: {process.args} did not answer {kind} on port {port}:\n{file.read()[-2000:]}")


def url(kind, port):
    return f"http://127.0.0.1:{port}/" + ("test.Chain/Who" if kind == "gRPC" else "")


def fields(kind):
    named = [f"{peers.HEADER}: {peers.OVERLAY}"]
    if kind == "gRPC":
        named += ["content-type: application/grpc", "te: trailers"]
    return [part for field in named for part in ("-H", field)]


def body(kind, message):
    return ["-d", message] if kind == "gRPC" else []


def load(kind, port, message, seconds):
    """(requests, seconds) of one run of h2load; every answer must be a 2xx."""
    command = [
        "taskset", "-c", str(LOAD_CORE), "h2load", "-t1", f"-c{CONNECTIONS}", f"-m{STREAMS}", f"-D{seconds}",
        *fields(kind), *body(kind, message), url(kind, port),
    ]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    done = int(re.search(r"status codes: (\d+) 2xx, 0 3xx, 0 4xx, 0 5xx", output).group(1))
    failed = re.search(r"(\d+) failed, (\d+) errored", output)
    # h2load counts what is in flight at the end as failed.
    if int(failed.group(1)) > CONNECTIONS * STREAMS or done == 0:
        raise SystemExit(f"error: not every request was answered:\n{output}")
    return done, seconds


def tables(found):
    """[(title, rows)]; ratios are of the same round, then the median over rounds."""
    result = []
    for kind, proxies in found.items():
        rows = [["proxy", "CPU µs/request", "microstax / it", "requests/s"]]
        ours = proxies["microstax"]["cpu"]
        for name, values in proxies.items():
            ratios = [own / other for own, other in zip(ours, values["cpu"])]
            spread = f"{min(values['cpu']):.1f}–{max(values['cpu']):.1f}"
            rows.append([
                name, f"{statistics.median(values['cpu']):.1f} ({spread})",
                "" if name == "microstax" else f"{statistics.median(ratios):.2f}",
                f"{statistics.median(values['rate']):.0f}",
            ])
        result.append((kind, rows))
    return result
