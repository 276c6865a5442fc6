"""`make kill`: kills the real program at every checkpoint, and its services under load; see docs/internals/testing.md."""

import contextlib
import os
import shutil
import signal
import statistics
import sys
import threading
import time
import traceback

import leftovers
import plan
import rounds
from product import Product, Wrong
from shops import Shop

MOST_FAILURES = 5
# Ports rest for ten minutes when they are given back, so there must be many; apart from where a person's services are.
PORTS = (11000, 19999)


# Set by the first Ctrl-C: what is under way is finished, and the table is of what was done.
enough = threading.Event()


def say(text):
    print(text, flush=True)


class Place:
    """A state folder with a server; made anew after something went wrong, which is kept for looking at."""

    def __init__(self, binary):
        self.binary = binary
        self.number = 0
        self.product = None

    def open(self):
        self.number += 1
        home = f"/tmp/msx-kill-{os.getpid()}-{self.number}"
        self.product = Product(self.binary, home, PORTS)
        self.product.start()
        return self.product

    def close(self, keep=False):
        """Ends everything; gives what should not have been left."""
        product, self.product = self.product, None
        left = []
        if not keep:
            with contextlib.suppress(Wrong):
                product.command("serve", "--stop")
            deadline = time.monotonic() + 10
            while (pids := leftovers.processes(product.home)) and time.monotonic() < deadline:
                time.sleep(0.05)
            left = [f"process {pid} {leftovers.title(pid)}" for pid in pids]
            left += [f"folder {name}" for name in os.listdir(f"{product.home}/environments")]
            left += leftovers.intact(product.home)
        leftovers.end_everything(product)
        if keep or left:
            say(f"kept: {product.home} {product.side}")
        else:
            for folder in (product.home, product.side):
                shutil.rmtree(folder)
        return left


def strike(place, kills, seed):
    """The rounds; gives the tally and what went wrong."""
    tally, failures = rounds.Tally(), []
    product = place.open()
    shop = Shop(f"{product.side}/ledger")
    points, times = rounds.measure(product, shop, tally)
    chosen_rounds = plan.schedule(points, times, kills, seed)
    for operation in plan.OPERATIONS:
        passed = {role: points.get((*operation, role), 0) for role in ("serve", "supervise", "gateway")}
        say(f"{' '.join(operation)}: {times[operation]:.2f} s, points {passed}")
    say(f"{len(chosen_rounds)} rounds, {sum(map(len, chosen_rounds))} operations, each with a kill; seed {seed}")
    began = last = time.monotonic()
    for number, chosen in enumerate(chosen_rounds):
        if enough.is_set():
            say(f"interrupted before round {number}")
            break
        run = rounds.Round(product, shop, seed * 1_000_003 + number, tally)
        try:
            run.run(chosen)
            if number % 10 == 0 and (said := leftovers.intact(product.home)):
                raise Wrong(f"the store is not intact: {said}")
        except Exception as problem:
            failures.append(f"round {number}, {run.now}: {problem}")
            say(f"FAILED {failures[-1]}")
            if not isinstance(problem, Wrong):
                traceback.print_exc()
            place.close(keep=True)
            if len(failures) >= MOST_FAILURES:
                say("too many failures; giving up")
                break
            product = place.open()
            shop = Shop(f"{product.side}/ledger")
        if time.monotonic() - last > 20:
            last = time.monotonic()
            say(f"{number + 1}/{len(chosen_rounds)} rounds, {tally.total} kills, {len(failures)} failures, {last - began:.0f} s")
    if place.product:
        failures += place.close()
    return tally, failures, time.monotonic() - began


def burden(place, seconds, seed):
    """The load; gives what was counted and what went wrong."""
    from load import Load

    product = place.open()
    load = Load(product, seed, seconds, enough)
    try:
        failures = list(load.run())
    except Exception as problem:
        traceback.print_exc()
        failures = [*load.wrong, f"load: {problem}"]
    failures += place.close(keep=bool(failures))
    return load, failures


def report(rows, failures):
    for name, count in rows:
        say(f"{name:<48}{count:>10}")
    for failure in failures:
        say(f"failure: {failure}")


def tally_rows(tally, seconds):
    rows = [(kind, count) for kind, count in sorted(tally.kills.items())]
    rows += [
        ("kills", tally.total), ("points that were not reached", tally.missed), ("operations", tally.operations),
        ("requests without an answer", tally.unanswered), ("asked what to do (outcomeUnknown)", tally.asked),
        ("… repeated", tally.repeated), ("… undone", tally.undone), ("effects doubled, as stated", len(tally.stated_doubles))]
    rows += [(f"answers meanwhile: {kind}", count) for kind, count in sorted(tally.answers.items())]
    if tally.recoveries:
        rows += [
            ("median s from request to end, with a kill", f"{statistics.median(tally.recoveries):.2f}"),
            (f"longest ({tally.longest})", f"{max(tally.recoveries):.2f}")]
    return rows + [("seconds in all", f"{seconds:.0f}")]


def setting(name):
    text = os.environ.get(name, "")
    return int(text) if text else None


def main():
    place = Place(os.environ["MICROSTAX"])
    kills, seconds = setting("KILLS"), setting("LOAD_SECONDS")
    seed = setting("SEED")
    seed = int(time.time()) % 1_000_000 if seed is None else seed
    rows, failures = [], []
    try:
        if kills != 0:
            tally, failures, took = strike(place, kills, seed)
            rows += tally_rows(tally, took)
        if seconds != 0 and not enough.is_set():
            load, wrong = burden(place, 600 if seconds is None else seconds, seed)
            rows += [(f"killed under load: {kind}", count) for kind, count in sorted(load.killed.items())]
            rows += [(f"answers: {kind}", count) for kind, count in sorted(load.counts.items())]
            failures += wrong
    finally:
        if place.product:
            place.close(keep=True)
    say("")
    report([*rows, ("failures", len(failures)), ("seed", seed)], failures)
    return 1 if failures else 130 if enough.is_set() else 0


def interrupt(signaled, _):
    if enough.is_set():
        sys.exit(128 + signaled)
    enough.set()
    say("finishing the round; once more ends at once")


if __name__ == "__main__":
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, interrupt)
    sys.exit(main())
