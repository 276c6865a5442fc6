"""Ten thousand environments: the real API, engine and SQLite store over a simulated runtime in which everything runs."""

import os
import subprocess

COUNT = int(os.environ.get("BENCH_ENVIRONMENTS", 10_000))
IDLE_SECONDS = int(os.environ.get("BENCH_IDLE_SECONDS", 60))
ROWS = [
    ("restart to serving ms", "from opening the store to the first answer", "under 3,000 ms", "{:,.0f} ms"),
    ("list cold ms", "the first page of 100 after a restart", "", "{:,.0f} ms"),
    ("list warm ms", "the first page of 100, median of 20", "under 50 ms", "{:,.1f} ms"),
    ("idle CPU %", f"CPU of one core while nothing changes, over {IDLE_SECONDS} s", "under 1 %", "{:.2f} %"),
    ("server MiB", "resident memory of the server's parts", "under 500 MiB", "{:,.0f} MiB"),
    ("100 creates accepted ms", "100 creates at once, until the last is acknowledged", "", "{:,.0f} ms"),
    ("steps per second", "their steps, from the first request to the last step's end", "over 200/s", "{:,.0f}/s"),
    ("CPU ms per step", "CPU for each of these steps, requests included", "", "{:.2f} ms"),
]


def measure(folder, tell):
    program = os.environ["SCALE_BENCH"]
    tell(f"scale: {COUNT} environments")
    place = os.path.join(folder, "scale")
    os.makedirs(place)
    subprocess.run([program, "fill", place, str(COUNT)], check=True)
    size = sum(entry.stat().st_size for entry in os.scandir(place)) / 1e6
    done = subprocess.run([program, "measure", place, str(IDLE_SECONDS)], check=True, capture_output=True, text=True)
    values = {}
    for line in done.stdout.splitlines():
        name, _, value = line.partition(": ")
        values[name] = float(value)
    # The simulated runtime is in the same process; its services are not the server's.
    values["server MiB"] = values["resident after MiB"] - values["resident before MiB"]
    values["store MB"] = size
    return values


def table(values):
    rows = [("what", "wanted", "measured")]
    rows += [(text, wanted, form.format(values[name])) for name, text, wanted, form in ROWS]
    return rows
