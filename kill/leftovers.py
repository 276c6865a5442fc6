"""What is still there of an environment, or of a whole state folder: processes, listening ports, folders, rows."""

import contextlib
import os
import signal
import sqlite3
import time

# What stays readable of an environment that is gone.
HISTORY = {"executions", "steps", "events", "audit", "replies", "settings", "sqlite_sequence"}


def pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def read(pid, name):
    with contextlib.suppress(OSError), open(f"/proc/{pid}/{name}", "rb") as file:
        return file.read()
    return b""


def link(path):
    with contextlib.suppress(OSError):
        return os.readlink(path)
    return ""


def is_alive(pid):
    stat = read(pid, "stat")
    return bool(stat) and stat.rpartition(b")")[2].split()[0] != b"Z"


def title(pid):
    return read(pid, "cmdline").replace(b"\0", b" ").decode(errors="replace")[:160]


def processes(home, mark=None):
    """Everything that has the state folder (or an environment's mark) in its command line, environment or place."""
    found = []
    words = [f"{home}/".encode(), f"MICROSTAX_HOME={home}\0".encode()] if mark is None else [f"/{mark}".encode()]
    for pid in pids():
        if pid == os.getpid() or not is_alive(pid):
            continue
        content = read(pid, "cmdline") + b"\0" + read(pid, "environ") + b"\0" + link(f"/proc/{pid}/cwd").encode() + b"/"
        if any(word in content for word in words):
            found.append(pid)
    return found


def supervisors(environment):
    value = f"/{environment}\0".encode()
    return [
        pid for pid in pids()
        if b"MSX_SUPERVISOR=" in (content := read(pid, "environ")) and value in content and is_alive(pid)
        and b"\0supervise\0" in read(pid, "cmdline")]


def mains(environment):
    """The living main processes of an environment, by instance; those that erase their environment are not seen."""
    found = {}
    for pid in pids():
        for variable in read(pid, "environ").split(b"\0"):
            if variable.startswith(b"MSX_MARK="):
                parts = variable.decode().split("/")
                if len(parts) == 5 and parts[1] == environment and parts[4] == "main" and is_alive(pid):
                    found.setdefault(parts[2], {})[pid] = parent(pid)
    # What a main process started has its mark as well.
    return {
        instance: tops for instance, family in found.items()
        if (tops := [pid for pid, above in family.items() if above not in family])}


def parent(pid):
    """0 where it is gone."""
    fields = read(pid, "stat").rpartition(b")")[2].split()
    return int(fields[1]) if fields else 0


def listening(ports):
    """The ports of a range that somebody listens on."""
    found = set()
    for name in ("tcp", "tcp6"):
        with contextlib.suppress(OSError), open(f"/proc/net/{name}") as file:
            for row in file.read().splitlines()[1:]:
                fields = row.split()
                port = int(fields[1].rpartition(":")[2], 16)
                if fields[3] == "0A" and ports[0] <= port <= ports[1]:
                    found.add(port)
    return sorted(found)


def rows(home, environment):
    """Of an environment that is gone, everything but its history."""
    store = sqlite3.connect(f"file:{home}/store.sqlite?mode=ro", uri=True, timeout=10)
    try:
        tables = [row[0] for row in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = []
        for table in set(tables) - HISTORY:
            for row in store.execute(f"SELECT * FROM {table}"):
                if any(isinstance(value, str) and environment in value for value in row):
                    found.append(f"{table}: {str(row)[:200]}")
        unfinished = store.execute(
            "SELECT id, kind, state FROM executions WHERE environment = ? AND final = 0", (environment,)).fetchall()
        return found + [f"unfinished execution {row}" for row in unfinished]
    finally:
        store.close()


def intact(home):
    """SQLite's own opinion of the store."""
    store = sqlite3.connect(f"file:{home}/store.sqlite?mode=ro", uri=True, timeout=10)
    try:
        said = [row[0] for row in store.execute("PRAGMA integrity_check")]
        said += [f"foreign key: {row}" for row in store.execute("PRAGMA foreign_key_check")]
        return [] if said == ["ok"] else said
    finally:
        store.close()


def of_environment(product, environment):
    """What is left of one that was deleted; the ports that it had are looked at by the caller."""
    left = [f"process {pid} {title(pid)}" for pid in processes(product.home, mark=environment)]
    if os.path.exists(f"{product.home}/environments/{environment}"):
        left.append(f"folder {environment}: {os.listdir(f'{product.home}/environments/{environment}')}")
    left += rows(product.home, environment)
    return left


def with_marks(home, environments):
    return {pid for pids in [processes(home), *(processes(home, mark=name) for name in environments)] for pid in pids}


def end_everything(product):
    """For the end, or after something went wrong: nothing of this state folder may go on running."""
    deadline = time.monotonic() + 20
    # A service need not have the folder in its environment, but it has its environment's id.
    names = os.listdir(f"{product.home}/environments")
    while (found := with_marks(product.home, names)) and time.monotonic() < deadline:
        for pid in found:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
    return found
