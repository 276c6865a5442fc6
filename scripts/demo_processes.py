#!/usr/bin/python3
"""Finds the demo's processes and the ports they listen on, from /proc alone.

    demo_processes.py list HOME          prints what runs, as JSON
    demo_processes.py left HOME FILE     prints what of FILE (of `list`), or else of the demo, is still there; 1 if any

A process is the demo's when its command line, its working folder or the marks in its environment name the demo's state
folder or one of its environments, or when it descends from one that is.
"""

import json
import os
import sys
import time


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read().decode(errors="replace")
    except OSError:  # it ended, or is another user's
        return ""


def link(path):
    try:
        return os.readlink(path)
    except OSError:
        return ""


def processes():
    """pid → (parent, start time), without zombies."""
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        fields = read(f"/proc/{name}/stat").rpartition(")")[2].split()
        if fields and fields[0] != "Z":
            found[int(name)] = (int(fields[1]), int(fields[19]))
    return found


def ids(home):
    """Of every environment that the demo made, also of those that were deleted."""
    folder = f"{home}/environments"
    return set(read(f"{home}/.demo").split()) | set(os.listdir(folder) if os.path.isdir(folder) else [])


def is_named(pid, home, ids):
    if home in read(f"/proc/{pid}/cmdline") or link(f"/proc/{pid}/cwd").startswith(home):
        return True
    marks = [entry for entry in read(f"/proc/{pid}/environ").split("\0") if entry.startswith(("MSX_", "MICROSTAX_HOME="))]
    if any(entry.startswith("MSX_") and id in entry for entry in marks for id in ids):
        return True
    return f"MICROSTAX_HOME={home}" in marks and os.path.basename(link(f"/proc/{pid}/exe")).startswith("microstax")


def mine(home, ids):
    table = processes()
    callers, pid = set(), os.getpid()
    while pid in table:
        callers.add(pid)
        pid = table[pid][0]
    found = {pid for pid in table if pid not in callers and is_named(pid, home, ids)}
    while more := {pid for pid in table if table[pid][0] in found and pid not in found | callers}:
        found |= more
    return {pid: table[pid][1] for pid in found}


def listening():
    """inode of the socket → port."""
    found = {}
    for family in ("tcp", "tcp6"):
        for line in read(f"/proc/net/{family}").splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A":
                found[fields[9]] = int(fields[1].rpartition(":")[2], 16)
    return found


def ports(pid, sockets):
    try:
        files = [link(f"/proc/{pid}/fd/{name}") for name in os.listdir(f"/proc/{pid}/fd")]
    except OSError:
        return []
    return sorted(sockets[file[8:-1]] for file in files if file.startswith("socket:[") and file[8:-1] in sockets)


def list_all(home):
    sockets = listening()
    known = ids(home)
    found = [
        {"pid": pid, "start": start, "ports": ports(pid, sockets)} for pid, start in sorted(mine(home, known).items())
    ]
    json.dump({"ids": sorted(known), "processes": found}, sys.stdout)


def left(home, before):
    table = processes()
    known = {entry["pid"] for entry in before["processes"] if table.get(entry["pid"], (0, 0))[1] == entry["start"]}
    pids = sorted(known | set(mine(home, set(before["ids"]) | ids(home))))
    lines = [f"process {pid}: {read(f'/proc/{pid}/cmdline').replace(chr(0), ' ').strip()}" for pid in pids]
    taken = set(listening().values())
    lines += [f"port {port}" for entry in before["processes"] for port in entry["ports"] if port in taken]
    return lines


def main(verb, home, file=None):
    if verb == "list":
        return list_all(home)
    with open(file) as list_file:
        before = json.load(list_file)
    deadline = time.monotonic() + 5
    while (lines := left(home, before)) and time.monotonic() < deadline:
        time.sleep(0.1)
    if lines:
        sys.exit("error: this is left of the demo:\n" + "\n".join(f"  {line}" for line in lines))


if __name__ == "__main__":
    main(*sys.argv[1:])
