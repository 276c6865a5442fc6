"""CPU per request and latency of the gateway beside nginx, HAProxy and Envoy."""

import contextlib
import re
import statistics
import subprocess

import peers
from processes import await_answer, cpu_seconds, free_port, get, running

PROXY_CORE, LOAD_CORE = 0, 1
BUSY, QUIET = 32, 4  # connections
UNITS = {"us": 1, "ms": 1000, "s": 1_000_000}


def measure(folder, rounds, seconds, tell):
    """{proxy: {"cpu": [µs per request…], "rate": […], "p50": [µs…], "p99": [µs…]}}, a value for each round."""
    found = {name: {"cpu": [], "rate": [], "p50": [], "p99": []} for name in peers.ALL}
    quiet_seconds = max(2, seconds // 3)
    with contextlib.ExitStack() as stack:
        a, b = free_port(), free_port()
        origin = stack.enter_context(running(peers.origin(folder, (a, b)), f"{folder}/origin.log", LOAD_CORE))
        for port in (a, b):
            await_answer(port, origin, f"{folder}/origin.log")
        proxies = {}
        for name, command in peers.ALL.items():
            port, log = free_port(), f"{folder}/{name}.log"
            process = stack.enter_context(running(command(folder, port, a, b), log, PROXY_CORE))
            await_answer(port, process, log)
            check_routes(name, port)
            proxies[name] = (process.pid, port)
        for pid, port in proxies.values():
            load(port, 2, BUSY)
        for number in range(rounds):
            tell(f"round {number + 1} of {rounds}")
            for name in rotated(list(proxies), number):
                pid, port = proxies[name]
                before = cpu_seconds(pid)
                requests, took, _ = load(port, seconds, BUSY)
                found[name]["cpu"].append((cpu_seconds(pid) - before) / requests * 1e6)
                found[name]["rate"].append(requests / took)
            for name in rotated(list(proxies), number):
                _, _, latency = load(proxies[name][1], quiet_seconds, QUIET)
                for rank, value in latency.items():
                    found[name][rank].append(value)
    return found


def rotated(names, number):
    """Nobody is always first."""
    number %= len(names)
    return names[number:] + names[:number]


def check_routes(name, port):
    """A proxy that routes wrongly is not measured."""
    for headers, letter in (({}, "A"), ({peers.HEADER: peers.OVERLAY}, "B")):
        status, body = get(port, headers=headers)
        if status != 200 or not body.startswith(letter):
            raise SystemExit(f"error: {name} answered {status} {body[:80]!r} where origin {letter} was meant")


def load(port, seconds, connections):
    """(requests, seconds, latency by rank in µs) of one run of wrk; every answer must be a 2xx."""
    command = [
        "taskset", "-c", str(LOAD_CORE), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency",
        "-H", f"{peers.HEADER}: {peers.OVERLAY}", f"http://127.0.0.1:{port}/",
    ]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in output or "Socket errors" in output:
        raise SystemExit(f"error: not every request was answered:\n{output}")
    requests, took, unit = re.search(r"(\d+) requests in ([\d.]+)(us|ms|s|m)\b", output).groups()
    latency = {}
    for rank, value, scale in re.findall(r"^\s+(50|99)%\s+([\d.]+)(us|ms|s)$", output, re.MULTILINE):
        latency[f"p{rank}"] = float(value) * UNITS[scale]
    return int(requests), float(took) * (60 if unit == "m" else UNITS[unit] / 1e6), latency


def table(found):
    """Rows of text, the header first. Ratios are of the same round, then the median over rounds."""
    rows = [["proxy", "CPU µs/request", "microstax / it", "requests/s", "p50 µs", "p99 µs"]]
    ours = found["microstax"]["cpu"]
    for name, values in found.items():
        ratios = [own / other for own, other in zip(ours, values["cpu"])]
        middle = {key: statistics.median(values[key]) for key in values}
        spread = f"{min(values['cpu']):.1f}–{max(values['cpu']):.1f}"
        rows.append([
            name, f"{middle['cpu']:.1f} ({spread})", "" if name == "microstax" else f"{statistics.median(ratios):.2f}",
            f"{middle['rate']:.0f}", f"{middle['p50']:.0f}", f"{middle['p99']:.0f}",
        ])
    return rows
