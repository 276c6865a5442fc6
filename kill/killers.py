"""Kills: at a numbered point of the program itself, at a random moment from outside, or in the middle of a commit."""

import contextlib
import os
import signal
import threading
import time
from dataclasses import dataclass

import leftovers

# System calls by which a commit comes to the disk (x86-64, aarch64): write, pwrite64, fsync, fdatasync.
CALLS = {"x86_64": {1, 18, 74, 75}, "aarch64": {64, 68, 82, 83}}[os.uname().machine]


@dataclass
class Kill:
    """`role` is serve, supervise or gateway; `number` the point, or `None` for a moment from outside."""

    role: str
    number: int | None = None
    # From outside: after so many seconds, or while the server's store is writing.
    after: float | None = None
    in_commit: bool = False
    # What is struck while it recovers: (role, number).
    encore: tuple | None = None

    @property
    def kind(self):
        if self.in_commit:
            return f"{self.role}, in the middle of a commit"
        return f"{self.role}, at a point" if self.number is not None else f"{self.role}, at a random moment"

    def __str__(self):
        if self.in_commit:
            return f"{self.role} in a commit after {self.after * 1000:.0f} ms"
        if self.number is None:
            return f"{self.role} after {self.after * 1000:.0f} ms"
        return f"{self.role} point {self.number}" + (f", then {self.encore}" if self.encore else "")


class Outside(threading.Thread):
    """Carries out a kill that is no point of the program. `hit` says whether it did."""

    def __init__(self, kill, product, environments):
        super().__init__(daemon=True)
        self.kill = kill
        self.product = product
        self.environments = environments
        self.hit = False
        self.over = threading.Event()

    def run(self):
        if self.over.wait(self.kill.after):
            return
        if self.kill.in_commit:
            while not self.over.is_set() and not self.hit:
                self.hit = killed_in_commit(self.product.server.pid, self.product.home)
                time.sleep(0.0005)
            return
        for pid in self.targets():
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
                self.hit = True

    def targets(self):
        supervisors = [pid for environment in self.environments() for pid in leftovers.supervisors(environment)]
        return {
            "serve": [self.product.server.pid],
            "gateway": gateways(self.product.home),
            "supervise": supervisors,
            "everything": [self.product.server.pid, *supervisors, *gateways(self.product.home)],
        }[self.kill.role]

    def end(self):
        self.over.set()
        self.join()


def gateways(home):
    folder = f"\0{home}/gateway\0".encode()
    return [
        pid for pid in leftovers.pids()
        if b"\0gateway\0" in (line := leftovers.read(pid, "cmdline")) and folder in line and leftovers.is_alive(pid)]


def killed_in_commit(pid, home):
    """Stops the server, looks whether a thread of it is just writing the store, and kills it if so; else lets it go on."""
    with contextlib.suppress(OSError):
        os.kill(pid, signal.SIGSTOP)
        if is_writing(pid, home):
            os.kill(pid, signal.SIGKILL)
            return True
        os.kill(pid, signal.SIGCONT)
    return False


def is_writing(pid, home):
    for thread in os.listdir(f"/proc/{pid}/task"):
        words = leftovers.read(pid, f"task/{thread}/syscall").split()
        if len(words) > 1 and words[0].isdigit() and int(words[0]) in CALLS:
            file = leftovers.link(f"/proc/{pid}/fd/{int(words[1], 16)}")
            if file.startswith(f"{home}/store.sqlite"):
                return True
    return False
