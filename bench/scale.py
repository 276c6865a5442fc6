"""Ten thousand environments: the real API, engine, SQLite store and table making over a simulated runtime in which everything runs."""

import os
import pty
import statistics
import subprocess
import time

COUNT = int(os.environ.get("BENCH_ENVIRONMENTS", 10_000))
IDLE_SECONDS = int(os.environ.get("BENCH_IDLE_SECONDS", 30))
LISTS = 20
ROWS = [
    ("restart to serving ms", "from opening the store to the first answer on the socket", "under 3,000 ms", "{:,.0f} ms"),
    ("restart to routes ms", "from opening the store to the whole routing table", "", "{:,.0f} ms"),
    ("list command ms", "`microstax env list` on a terminal, all of the command", "under 50 ms", "{:,.0f} ms"),
    ("list command p90 ms", "the same, the slowest but two of 20", "", "{:,.0f} ms"),
    ("list warm ms", "its request: the first page of 100 over the socket", "under 50 ms", "{:,.0f} ms"),
    ("list cold ms", "the same, as the first request after a restart", "", "{:,.0f} ms"),
    ("list all ms", "`microstax env list --all`, every environment", "", "{:,.0f} ms"),
    ("idle CPU %", f"CPU of one core while nothing changes, over {IDLE_SECONDS} s", "under 1 %", "{:.2f} %"),
    ("server MiB", "resident memory of the server's parts, after all of this", "under 500 MiB", "{:,.0f} MiB"),
    ("100 creates accepted ms", "100 creates at once, until the last is acknowledged", "", "{:,.0f} ms"),
    ("steps per second", "their steps, from the first request to the last step's end", "over 200/s", "{:,.0f}/s"),
    ("CPU ms per step", "CPU for each of these steps, requests included", "", "{:.2f} ms"),
]


def measure(folder, tell):
    program = os.environ["SCALE_BENCH"]
    tell(f"scale: {COUNT} environments")
    place = os.path.join(folder, "scale")
    os.makedirs(place, mode=0o700)
    subprocess.run([program, "fill", place, str(COUNT)], check=True)
    size = sum(entry.stat().st_size for entry in os.scandir(place)) / 1e6
    values = {}
    server = subprocess.Popen(
        [program, "measure", place, str(IDLE_SECONDS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=dict(os.environ, SCALE_CLIENTS="1"))
    try:
        for line in server.stdout:
            name, _, value = line.partition(": ")
            if name == "serving":
                commands(place, values)
                server.stdin.write("\n")
                server.stdin.flush()
            else:
                values[name] = float(value)
                tell(f"  {name}: {float(value):,.1f}")
        if server.wait() != 0:
            raise SystemExit(f"error: {program} measure ended with {server.returncode}")
    finally:
        server.kill()
        server.wait()
    # The simulated runtime is in the same process; its services are not the server's.
    values["server MiB"] = values["resident after MiB"] - values["resident before MiB"]
    values["store MB"] = size
    return values


def commands(home, values):
    """The program that people type, against the server of this folder."""
    times = sorted(typed(home, "env", "list") for _ in range(LISTS))
    values["list command ms"] = statistics.median(times)
    values["list command p90 ms"] = times[-3]
    values["list all ms"] = typed(home, "env", "list", "--all")


def typed(home, *arguments):
    """Milliseconds until the program has ended, its output on a terminal."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MICROSTAX")}
    environment["MICROSTAX_HOME"] = home
    ours, theirs = pty.openpty()
    began = time.perf_counter()
    process = subprocess.Popen(
        [os.environ["MICROSTAX"], *arguments], env=environment, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs)
    os.close(theirs)
    lines = 0
    try:
        while chunk := os.read(ours, 65536):
            lines += chunk.count(b"\n")
    except OSError:
        pass  # EIO: nobody writes any more.
    os.close(ours)
    status = process.wait()
    took = (time.perf_counter() - began) * 1000
    if status != 0 or lines < min(100, COUNT):
        raise SystemExit(f"error: microstax {' '.join(arguments)} ended with {status} after {lines} lines")
    return took


def table(values):
    rows = [("what", "wanted", "measured")]
    rows += [(text, wanted, form.format(values[name])) for name, text, wanted, form in ROWS]
    return rows
