#!/usr/bin/python3
"""Measures, prints, and writes the result between two marks of docs/performance.md. Called by scripts/bench.sh."""

import datetime
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile

import commands
import gateway
import graph
import http2
import scale
import sizes

PAGE = "docs/performance.md"
BEGIN, END = "<!-- make bench: begin -->", "<!-- make bench: end -->"
GRAPH_BEGIN, GRAPH_END = "<!-- make bench, graph: begin -->", "<!-- make bench, graph: end -->"
INTRODUCTION = f"""# Performance

`make bench` builds in release, measures on this machine, and replaces the part below. Read the ratios: they come from
one run on one machine, and absolute numbers move with the machine.

{BEGIN}
{END}

{GRAPH_BEGIN}
{GRAPH_END}
"""


def tell(text):
    print(text, file=sys.stderr, flush=True)


def first_line(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    return (done.stdout + done.stderr).strip().splitlines()[0].strip()


def computer():
    with open("/proc/cpuinfo") as file:
        model = next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), "unknown")
    system = platform.freedesktop_os_release()["PRETTY_NAME"]
    return (
        f"{datetime.date.today()}, {model}, {os.cpu_count()} cores, {system}, Linux {platform.release()}, "
        f"load {os.getloadavg()[0]:.1f} before the start."
    )


def machine():
    envoy = next((part for part in first_line(os.environ["ENVOY"], "--version").split("/") if part[:1].isdigit() and "." in part), "")
    versions = [
        first_line(os.environ["MICROSTAX"], "--version"),
        first_line("/usr/sbin/nginx", "-v").removeprefix("nginx version: "),
        first_line("/usr/sbin/haproxy", "-v").replace("HAProxy version ", "HAProxy/").split()[0],
        f"Envoy/{envoy}",
        first_line("swift", "--version"),
    ]
    return (
        f"{computer()}\\\n"
        f"microstax/{versions[0]} · {' · '.join(versions[1:])}"
    )


def markdown(rows):
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def report(header, rounds, seconds, proxies, streams, sized, waits, fleet):
    return f"""{header}

## Gateway

{markdown(gateway.table(proxies))}

The same header routing to the same origin (nginx, 256 bytes, kept connections), one worker each. The proxy has core
{gateway.PROXY_CORE} to itself, origin and `wrk` share core {gateway.LOAD_CORE}. CPU is user and system time of all of a proxy's processes, over
completed requests, at {gateway.BUSY} connections: the median of {rounds} rounds of {seconds} s, lowest and highest in brackets. Rounds go through all
proxies in turn; a ratio is of the same round. p50 and p99 are from runs of their own with {gateway.QUIET} connections.

{http2_part(rounds, seconds, streams)}

{sizes_part(sized)}

## Commands

{markdown(commands.table(waits))}

The overlay is the demo's: one changed Python service on the shop of `examples/shop`. Its own start is measured by hand
beside every run, asked every millisecond, and taken off.

## Scale

{markdown(scale.table(fleet))}

{scale.COUNT:,} environments of 20 services each, all running, one in ten with a ttl: the real API, engine, lifecycles, making of routing tables
and SQLite store ({fleet["store MB"]:,.0f} MB) over a simulated runtime in the same process, whose own {fleet["resident before MiB"]:,.0f} MiB are taken off. Not in it: the gateway, which
could not listen on as many addresses; a table is made and taken, not sent. On a terminal `microstax env list` shows the first
100. Until the routing table is whole, a gateway serves by the one it has. A step is stored before and after it runs; each store
is one write to disk.

To repeat: `make bench`, on a machine that does nothing else (`BENCH_ROUNDS={rounds} BENCH_SECONDS={seconds}`)."""


def http2_part(rounds, seconds, streams):
    parts = [f"### {kind}\n\n{markdown(rows)}" for kind, rows in http2.tables(streams)]
    return "\n\n".join(parts) + f"""

`h2load` with {http2.CONNECTIONS} connections of {http2.STREAMS} streams each; medians of {rounds} rounds of {seconds} s. HTTP/2 is without TLS, to the origin of above in
HTTP/1.1; gRPC are unary calls with messages of 100 bytes, HTTP/2 on both sides, to `nghttpd`."""


def sizes_part(sized):
    return "\n\n".join(f"### {title}\n\n{markdown(rows)}\n\n{text}" for title, rows, text in sizes.tables(sized))


def save(text, begin_mark=BEGIN, end_mark=END):
    page = INTRODUCTION
    if os.path.exists(PAGE):
        with open(PAGE) as file:
            page = file.read()
    before, begin, rest = page.partition(begin_mark)
    _, end, after = rest.partition(end_mark)
    if not begin or not end:
        sys.exit(f"error: {PAGE} has no {begin_mark} and {end_mark}; nothing was written")
    os.makedirs(os.path.dirname(PAGE), exist_ok=True)
    with open(PAGE + ".new", "w") as file:
        file.write(f"{before}{begin_mark}\n\n{text}\n\n{end_mark}{after}")
    os.replace(PAGE + ".new", PAGE)


def graph_only():
    """The part that needs no proxies, between marks of its own."""
    text = graph.section(computer(), graph.table(graph.measure(tell)))
    print(text)
    save(text, GRAPH_BEGIN, GRAPH_END)


def main():
    if os.environ.get("BENCH_ONLY") == "graph":
        return graph_only()
    rounds, seconds = int(os.environ.get("BENCH_ROUNDS", 5)), int(os.environ.get("BENCH_SECONDS", 10))
    if os.cpu_count() < 2:
        sys.exit("error: the bench needs two cores: one for the proxy, one for origin and load")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything started is ended
    header = machine()
    folder = tempfile.mkdtemp(prefix="msx-bench-")
    try:
        proxies = gateway.measure(folder, rounds, seconds, tell)
        streams = http2.measure(folder, rounds, seconds, tell)
        sized = sizes.measure(folder, rounds, seconds, tell)
        waits = commands.measure(folder, tell)
        fleet = scale.measure(folder, tell)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    text = report(header, rounds, seconds, proxies, streams, sized, waits, fleet)
    save(text)
    print(text)
    graph_only()
    tell(f"written to {PAGE}")


if __name__ == "__main__":
    main()
