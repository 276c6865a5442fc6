"""What size costs: overlays, idle connections, large bodies, a change of the table; and latency at an equal rate."""

import contextlib
import json
import os
import socket
import statistics
import subprocess
import time

import gateway
import peers
from gateway import LOAD_CORE, PROXY_CORE, rotated
from processes import await_answer, cpu_seconds, free_port, running

RATE, CLIENTS = 4000, 40
IDLE = 9000
BODY = 1 << 30
COUNTS = (1, 1000, 100_000)
CHANGES = 40


def measure(folder, rounds, seconds, tell):
    return {
        "rate": at_equal_rate(folder, rounds, seconds, tell),
        "idle": idle_connections(folder, tell),
        "bodies": large_bodies(folder, tell),
        "overlays": many_overlays(folder, rounds, seconds, tell),
        "change": changes(folder, tell),
    }


@contextlib.contextmanager
def proxies(folder, label, names=tuple(peers.ALL), count=1000):
    """{name: (pid, port)} with their origins, for `count` overlays."""
    with contextlib.ExitStack() as stack:
        a, b = free_port(), free_port()
        home = f"{folder}/{label}-origin"
        os.makedirs(home, exist_ok=True)
        origin = stack.enter_context(running(peers.origin(home, (a, b)), f"{home}/log", LOAD_CORE))
        for port in (a, b):
            await_answer(port, origin, f"{home}/log")
        found = {}
        for name in names:
            home, port = f"{folder}/{label}-{name}", free_port()
            os.makedirs(home, exist_ok=True)
            command = peers.ALL[name](home, port, a, b, "http1", count)
            process = stack.enter_context(running(command, f"{home}/log", PROXY_CORE))
            await_answer(port, process, f"{home}/log", limit=120)
            gateway.check_routes(name, port)
            found[name] = (process.pid, port)
        yield found


def memory(pid, field="VmRSS"):
    """In MiB, of the process and its children."""
    total = 0
    for each in [pid, *children(pid)]:
        with contextlib.suppress(OSError), open(f"/proc/{each}/status") as file:
            total += next((int(line.split()[1]) for line in file if line.startswith(field + ":")), 0)
    return total / 1024


def children(pid):
    with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(each) for each in file.read().split()]
    return []


# Latency at an equal rate.

def at_equal_rate(folder, rounds, seconds, tell):
    """{proxy: {rank: [µs…]}} of requests that come at RATE in a second, whatever the proxy does."""
    with proxies(folder, "rate") as found:
        result = {name: {"p50": [], "p99": [], "p99.9": [], "MiB": [memory(pid)]} for name, (pid, _) in found.items()}
        for number in range(rounds):
            tell(f"equal rate, round {number + 1} of {rounds}")
            for name in rotated(list(found), number):
                times = timed_load(folder, found[name][1], seconds)
                for rank, share in (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999)):
                    result[name][rank].append(times[min(len(times) - 1, int(len(times) * share))])
    return result


def timed_load(folder, port, seconds):
    """Every request's µs, sorted."""
    log = f"{folder}/times.log"
    with contextlib.suppress(FileNotFoundError):
        os.remove(log)
    command = [
        "taskset", "-c", str(LOAD_CORE), "h2load", "--h1", "-t1", f"-c{CLIENTS}", f"-D{seconds}",
        f"--rps={RATE // CLIENTS}", f"--log-file={log}", "-H", f"{peers.HEADER}: {peers.OVERLAY}",
        f"http://127.0.0.1:{port}/",
    ]
    subprocess.run(command, check=True, capture_output=True)
    with open(log) as file:
        lines = [line.split() for line in file]
    if any(status != "200" for _, status, _ in lines) or len(lines) < RATE * seconds * 0.8:
        raise SystemExit(f"error: {len(lines)} answers on port {port} at {RATE} a second, or not all of them 200")
    return sorted(int(took) for _, _, took in lines)


# Idle connections.

def idle_connections(folder, tell):
    """{proxy: KiB for each connection that has served a request and waits}."""
    result = {}
    with proxies(folder, "idle", count=1) as found:
        for name, (pid, port) in found.items():
            tell(f"idle connections, {name}")
            before = memory(pid)
            held = []
            try:
                for _ in range(IDLE):
                    client = socket.create_connection(("127.0.0.1", port))
                    client.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
                    held.append(client)
                    if client.recv(4096)[9:12] != b"200":
                        raise SystemExit(f"error: {name} refused connection {len(held)}")
                result[name] = (memory(pid) - before) * 1024 / IDLE
            finally:
                for client in held:
                    client.close()
    return result


# Large bodies.

def large_bodies(folder, tell):
    """{proxy: {"up": (MiB/s, CPU ms/GiB, MiB grown), "down": …}} of one body of 1 GiB each way."""
    result = {}
    home = f"{folder}/large"
    os.makedirs(home, exist_ok=True)
    with open(f"{home}/body", "wb") as file:
        file.truncate(BODY)
    port = free_port()
    sink = ["/usr/bin/python3", f"{os.path.dirname(os.path.abspath(__file__))}/sink.py", str(port), str(BODY)]
    with running(sink, f"{home}/log", LOAD_CORE) as origin:
        await_answer(port, origin, f"{home}/log")
        for name, command in peers.ALL.items():
            tell(f"large bodies, {name}")
            own, entry = f"{home}/{name}", free_port()
            os.makedirs(own, exist_ok=True)
            with running(command(own, entry, port, port), f"{own}/log", PROXY_CORE) as process:
                await_answer(entry, process, f"{own}/log")
                result[name] = {}
                for way, arguments in (
                    ("up", ["-T", f"{home}/body", "-H", "expect:", f"http://127.0.0.1:{entry}/up"]),
                    ("down", [f"http://127.0.0.1:{entry}/body"]),
                ):
                    result[name][way] = transfer(process.pid, arguments)
    return result


def transfer(pid, arguments):
    before, used, began = memory(pid), cpu_seconds(pid), time.monotonic()
    curl = ["taskset", "-c", str(LOAD_CORE), "curl", "-sS", "--fail", "-o", "/dev/null", "-w", "%{size_upload} %{size_download}"]
    done = subprocess.run([*curl, *arguments], check=True, capture_output=True, text=True).stdout.split()
    took = time.monotonic() - began
    if BODY not in (int(float(done[0])), int(float(done[1]))):
        raise SystemExit(f"error: {done} bytes passed instead of {BODY}")
    return BODY / took / (1 << 20), (cpu_seconds(pid) - used) * 1000, memory(pid, "VmHWM") - before


# Many overlays, and a change.

def many_overlays(folder, rounds, seconds, tell):
    """{count: {"cpu": [µs per request…], "MiB": …}} of the gateway alone."""
    result = {}
    for count in COUNTS:
        tell(f"{count:,} overlays")
        with proxies(folder, f"overlays-{count}", ("microstax",), count) as found:
            pid, port = found["microstax"]
            gateway.load(port, 2, gateway.BUSY)
            used = []
            for _ in range(rounds):
                before = cpu_seconds(pid)
                requests, _, _ = gateway.load(port, seconds, gateway.BUSY)
                used.append((cpu_seconds(pid) - before) / requests * 1e6)
            result[count] = {"cpu": used, "MiB": memory(pid)}
    return result


def changes(folder, tell):
    """{count: [ms…]} from sending a table to the word that every worker routes by it."""
    result = {}
    for count in COUNTS[:2]:
        tell(f"changes with {count:,} overlays")
        with proxies(folder, f"change-{count}", ("microstax",), count):
            home = f"{folder}/change-{count}-microstax/gateway"
            with open(f"{home}/table.json") as file:
                table = json.load(file)
            result[count] = []
            for number in range(CHANGES):
                table["version"] += 1
                service = table["environments"][-1]["services"][0]
                service["ready"] = number % 2 == 1
                body = json.dumps(table).encode()
                with socket.socket(socket.AF_UNIX) as control:
                    control.connect(f"{home}/gateway.sock")
                    head = f"PUT /table HTTP/1.1\r\nhost: g\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n"
                    began = time.monotonic()
                    control.sendall(head.encode() + body)
                    if control.recv(64)[9:12] != b"200":
                        raise SystemExit("error: the gateway did not take the table")
                    result[count].append((time.monotonic() - began) * 1000)
    return result


# What is told.

def tables(found):
    """[(title, rows, what it says)]."""
    middle = statistics.median
    rate = [["proxy", "p50 µs", "p99 µs", "p99.9 µs", "resident MiB"]]
    for name, values in found["rate"].items():
        rate.append([name, *(f"{middle(values[rank]):.0f}" for rank in ("p50", "p99", "p99.9")), f"{values['MiB'][0]:.0f}"])
    idle = [["proxy", "KiB for each"]] + [[name, f"{value:.1f}"] for name, value in found["idle"].items()]
    bodies = [["proxy", "up MiB/s", "CPU ms", "grown MiB", "down MiB/s", "CPU ms", "grown MiB"]]
    for name, ways in found["bodies"].items():
        bodies.append([name, *(f"{value:.0f}" for way in ("up", "down") for value in ways[way])])
    many = [["overlays", "CPU µs/request", "resident MiB", "a change ms", "the slowest of 40"]]
    for count, values in found["overlays"].items():
        times = found["change"].get(count)
        many.append([
            f"{count:,}", f"{middle(values['cpu']):.1f} ({min(values['cpu']):.1f}–{max(values['cpu']):.1f})",
            f"{values['MiB']:.0f}", f"{middle(times):.1f}" if times else "", f"{max(times):.1f}" if times else "",
        ])
    return [
        ("At an equal rate, with 1,000 overlays", rate,
         f"`h2load --h1`, {RATE:,} requests a second over {CLIENTS} connections, whatever the proxy does; every proxy has 1,000 overlays in the\n"
         "way that its manual advises (nginx: `map`, HAProxy: a map file, Envoy: routes)."),
        ("Idle connections", idle, f"{IDLE:,} connections that have served one request each and are kept."),
        ("Bodies of 1 GiB", bodies,
         "`curl`, one after the other. Grown is the peak of resident memory over what was there before. nginx keeps bodies in files\n"
         "(its default)."),
        ("Many overlays", many,
         "The gateway alone. A change is a whole table over the control socket, from its first byte to the word that every\n"
         "worker routes by it and it is stored."),
    ]
