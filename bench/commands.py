"""How long `overlay create --wait` takes beyond the service's own start, and how long `env list` takes."""

import os
import statistics
import subprocess
import time

from processes import await_answer, free_port, running

SHOP = os.path.abspath("examples/shop")
RUNS, LISTS = 12, 20


def measure(folder, tell):
    """{"overlay": […], "service": […], "own": […], "list": […]} in ms, a value for each run."""
    home = f"{folder}/home"
    os.makedirs(f"{home}/environments")
    for path in (folder, home, f"{home}/environments"):
        os.chmod(path, 0o711)  # PostgreSQL's user must reach its folder where this is root's
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MICROSTAX")}
    environment["MICROSTAX_HOME"] = home

    def microstax(*arguments):
        began = time.perf_counter()
        done = subprocess.run(
            [os.environ["MICROSTAX"], *arguments], env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        took = (time.perf_counter() - began) * 1000
        if done.returncode != 0:
            raise SystemExit(f"error: microstax {' '.join(arguments)}:\n{done.stdout}{done.stderr}")
        return took

    created = []
    found = {"overlay": [], "service": [], "own": [], "list": []}
    try:
        tell("a baseline for the overlays")
        created.append("shop")
        microstax("baseline", "create", "--file", f"{SHOP}/baseline.yaml", "--wait")
        tell(f"{RUNS} overlays")
        for number in range(RUNS):
            name = f"bench-{number}"
            file = f"{folder}/{name}.yaml"
            with open(file, "w") as blueprint:
                blueprint.write(overlay(name))
            created.append(name)
            took = microstax("overlay", "create", "--baseline", "shop", "--file", file, "--wait")
            alone = start_alone(folder)
            found["overlay"].append(took)
            found["service"].append(alone)
            found["own"].append(took - alone)
            microstax("overlay", "delete", name)
            created.remove(name)
        tell(f"{LISTS} lists")
        found["list"] = [microstax("env", "list") for _ in range(LISTS)]
    finally:
        for name in reversed(created):
            subprocess.run([os.environ["MICROSTAX"], "env", "delete", name], env=environment, capture_output=True)
        subprocess.run([os.environ["MICROSTAX"], "serve", "--stop"], env=environment, capture_output=True)
    return found


def overlay(name):
    return f"""name: {name}
services:
  - name: payments
    workdir: {SHOP}
    command: [/usr/bin/python3, -B, payments_v2.py]
"""


def start_alone(folder):
    """ms from the start of the same program by hand to its first good answer, asked every millisecond."""
    port, log = free_port(), f"{folder}/alone.log"
    began = time.perf_counter()
    with running(["/usr/bin/python3", "-B", "payments_v2.py"], log, cwd=SHOP, env={**os.environ, "PORT": str(port)}) as process:
        await_answer(port, process, log, "/health", pause=0.001)
        return (time.perf_counter() - began) * 1000


def table(found):
    rows = [["what", "median ms", "p90 ms", "runs"]]
    for key, title in (
        ("overlay", "`overlay create --wait`"),
        ("service", "the same program started by hand, until it answers"),
        ("own", "the difference: our own time"),
        ("list", "`env list`, server up"),
    ):
        values = found[key]
        p90 = statistics.quantiles(values, n=10, method="inclusive")[-1]
        rows.append([title, f"{statistics.median(values):.0f}", f"{p90:.0f}", str(len(values))])
    return rows
