"""Starting programs, ending them in any case, and reading from /proc what they cost."""

import contextlib
import http.client
import os
import socket
import subprocess
import time

TICK = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def running(command, log, core=None, **options):
    """A program in the background, on one core where that is said; ended when the block is left."""
    pinned = ["taskset", "-c", str(core), *command] if core is not None else command
    with open(log, "ab") as output:
        process = subprocess.Popen(pinned, stdin=subprocess.DEVNULL, stdout=output, stderr=output, **options)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def await_answer(port, process, log, path="/", limit=20, pause=0.01):
    """Returns when a GET is answered with 200; fails with the end of the log."""
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline and process.poll() is None:
        try:
            status, _ = get(port, path)
            if status == 200:
                return
        except OSError:
            pass
        time.sleep(pause)
    with open(log, errors="replace") as file:
        raise SystemExit(f"error: {process.args} did not answer on port {port}:\n{file.read()[-2000:]}")


def get(port, path="/", headers={}):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    finally:
        connection.close()


def family(pid):
    """The process and everything under it."""
    children = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{name}/stat") as file:
            children.setdefault(int(file.read().rpartition(")")[2].split()[1]), []).append(int(name))
    found = [pid]
    for parent in found:
        found += children.get(parent, [])
    return found


def cpu_seconds(pid):
    """User and system time of the process and everything under it."""
    ticks = 0
    for member in family(pid):
        with open(f"/proc/{member}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICK
