"""An hour of everything at once, and what must hold: see docs/internals/soaking.md."""

import asyncio
import contextlib
import json
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import clients
from shop import Control, Shop

SECONDS = float(os.environ.get("SOAK_SECONDS") or 3600)
SEED = int(os.environ.get("SEED") or random.randrange(1 << 32))
LOAD = 0.7
HERE = os.path.dirname(os.path.abspath(__file__))
OVERLAYS, COPIES = 24, 4
CHANGES_PER_SECOND = 10
BULK_CLIENTS = 16


def say(text):
    print(f"[{time.strftime('%H:%M:%S')}] {text}", flush=True)


def free_ports(count):
    import socket

    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


class Program:
    """A child process; ended in any case."""

    everything = []

    def __init__(self, command, log):
        with open(log, "ab") as output:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        Program.everything.append(self.process)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        Program.everything.remove(self.process)

    @staticmethod
    def end_all():
        for process in Program.everything:
            process.terminate()
        for process in Program.everything:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


async def listens(port, limit=20):
    for _ in range(int(limit / 0.02)):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        except OSError:
            await asyncio.sleep(0.02)
    raise SystemExit(f"error: nobody listens on port {port}")


class Samples:
    """Memory and descriptors of the gateway, once a second."""

    def __init__(self, pid):
        self.pid, self.memory, self.files = pid, [], []

    def take(self):
        with open(f"/proc/{self.pid}/status") as file:
            self.memory.append(int(re.search(r"VmRSS:\s+(\d+)", file.read())[1]) / 1024)
        self.files.append(len(os.listdir(f"/proc/{self.pid}/fd")))

    def grew(self):
        """Megabytes and descriptors from the second quarter to the last, by their medians."""
        quarter = max(1, len(self.memory) // 4)

        def growth(values):
            return statistics.median(values[-quarter:]) - statistics.median(values[quarter : 2 * quarter] or values)

        return growth(self.memory), growth(self.files[: len(self.memory)])


def bulk_origin(folder, port):
    path = f"{folder}/nginx.conf"
    temporary = "\n".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    with open(path, "w") as file:
        file.write(f"""daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr error;
events {{ worker_connections 1024; }}
http {{ access_log off; keepalive_requests 100000000; {temporary}
  server {{ listen 127.0.0.1:{port}; location / {{ return 200 "{'.' * 256}"; }} }} }}
""")
    return ["/usr/sbin/nginx", "-e", "stderr", "-c", path]


async def h2load(port, *arguments):
    """(answered, failed, requests per second)."""
    process = await asyncio.create_subprocess_exec(
        "h2load", "-t1", f"-c{BULK_CLIENTS}", *arguments, f"http://127.0.0.1:{port}/",
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        output, _ = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        raise
    text = output.decode()
    done = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", text)
    rate = re.search(r"finished in [^,]+, ([\d.]+) req/s", text)
    if not done or not rate:
        raise SystemExit(f"error: h2load said:\n{text[-2000:]}")
    good, *bad = map(int, done.groups())
    return good, sum(bad), float(rate[1])


class Soak:
    def __init__(self, folder):
        self.folder = folder
        names = ["base", *(f"copy{number}" for number in range(COPIES))]
        ports = free_ports(2 * len(names) + 4)
        self.origins = {name: (ports[2 * n], ports[2 * n + 1]) for n, name in enumerate(names)}
        self.web, self.db, self.bulk, self.bulk_origin = ports[-4:]
        self.shop = Shop(self.origins, OVERLAYS, self.web, self.db)
        plain = self.shop.table
        self.shop.table = lambda: self.with_bulk(plain())
        self.book = clients.Book(self.shop)
        self.running = {}

    def with_bulk(self, table):
        ports = [{"name": "http", "transport": "http", "host": "127.0.0.1", "port": self.bulk_origin}]
        table["environments"][0]["services"].append({"name": "bulk", "exposed": True, "ready": True, "ports": ports})
        table["listeners"].append({
            "host": "127.0.0.1", "port": self.bulk, "environment": "env-base", "caller": {"edge": {}}, "service": "bulk",
            "portName": None, "isTCP": False})
        return table

    def start_origin(self, name):
        http, tcp = self.origins[name]
        self.running[name] = Program(
            ["/usr/bin/python3", "-B", f"{HERE}/origin.py", name, str(http), str(tcp), f"{self.folder}/{name}.ledger"],
            f"{self.folder}/{name}.log")

    async def restarts(self):
        """One service after the other is killed and started anew."""
        while not self.book.stopping:
            await asyncio.sleep(random.uniform(2, 6))
            name = random.choice(list(self.origins))
            self.book.downs.append((name, time.monotonic(), None))
            self.running[name].kill()
            await asyncio.sleep(random.uniform(0, 0.5))
            self.start_origin(name)
            await listens(self.origins[name][1])
            self.book.downs[-1] = (name, self.book.downs[-1][1], time.monotonic())
            del self.book.downs[:-20]

    async def changes(self, control):
        while not self.book.stopping:
            begun = time.monotonic()
            await self.shop.change(control.put)
            await asyncio.sleep(max(0, 1 / CHANGES_PER_SECOND - (time.monotonic() - begun)))

    async def samples(self, samples):
        while not self.book.stopping:
            samples.take()
            await asyncio.sleep(1)

    async def run(self):
        home = f"{self.folder}/gateway"
        os.makedirs(home)
        for name in self.origins:
            self.start_origin(name)
        Program(bulk_origin(self.folder, self.bulk_origin), f"{self.folder}/nginx.log")
        with open(f"{home}/table.json", "w") as file:
            json.dump(self.shop.table(), file)
        gateway = Program([os.environ["MICROSTAX"], "gateway", "--folder", home, "--port", "0"], f"{self.folder}/gateway.log")
        for port in (self.web, self.bulk, *(tcp for _, tcp in self.origins.values())):
            await listens(port)
        _, _, most = await h2load(self.bulk, "--h1", "-D3")
        say(f"at most {most:.0f} requests/s; {LOAD:.0%} of that from here on, beside everything else")
        samples = Samples(gateway.process.pid)
        samples.take()
        before = samples.files[-1]
        bulk = await self.everything(Control(f"{home}/gateway.sock"), samples, most * LOAD / BULK_CLIENTS)
        await self.rest(samples, before)
        return self.verdict(samples, before, bulk, gateway)

    async def rest(self, samples, before):
        """Until its descriptors are back, at most: pooled connections to services are kept for half a minute."""
        for _ in range(45):
            await asyncio.sleep(1)
            samples.files.append(len(os.listdir(f"/proc/{samples.pid}/fd")))
            if samples.files[-1] <= before + 20:
                return

    async def everything(self, control, samples, rate):
        loads = [
            asyncio.create_task(h2load(self.bulk, *kind, f"--rps={share * rate:.0f}", f"-D{SECONDS:.0f}"))
            for kind, share in ((["--h1"], 0.8), (["-m10"], 0.2))
        ]
        work = [self.restarts(), self.changes(control), self.samples(samples), self.reports(samples)]
        for kind, (client, count) in clients.KINDS.items():
            for _ in range(count):
                work.append(clients.patient(self.book, kind, lambda client=client: client(self.book, self.web, self.db)))
        tasks = [asyncio.create_task(one) for one in work]
        timer = asyncio.create_task(asyncio.sleep(SECONDS))
        done, _ = await asyncio.wait([timer, *tasks], return_when=asyncio.FIRST_COMPLETED)
        self.book.stopping = True
        for task in done - {timer}:
            self.book.wrong.append(f"{task.exception()!r}" if task.exception() else "a part ended early")
        results = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 120)
        self.book.wrong += [f"{error!r}" for error in results if error and f"{error!r}" not in self.book.wrong]
        if self.book.wrong:
            for load in loads:
                load.cancel()
            return []
        return [await load for load in loads]

    async def reports(self, samples):
        last = time.monotonic()
        while not self.book.stopping:
            await asyncio.sleep(1)
            if time.monotonic() - last > max(10, SECONDS / 12):
                last = time.monotonic()
                say(f"{len(self.book.outcomes)} requests, {self.shop.changes} tables, "
                    f"{samples.memory[-1]:.0f} MB, {samples.files[-1]} descriptors")

    def verdict(self, samples, before, bulk, gateway):
        wrong = list(self.book.wrong)
        counts = bytearray(len(self.book.outcomes))
        doubled = repeated = 0
        for name in self.origins:
            with open(f"{self.folder}/{name}.ledger") as file:
                for line in file:
                    number, method, _ = line.split(" ")
                    if number == "-":
                        continue
                    counts[int(number)] += 1
                    if counts[int(number)] < 2:
                        continue
                    # Without a body, and its first connection was broken by a kill before a byte of an answer.
                    if method in ("GET", "HEAD"):
                        repeated += 1
                    else:
                        doubled += 1
        outcomes = list(zip(self.book.outcomes, counts))
        lost = sum(1 for outcome, count in outcomes if outcome == clients.ONCE and count == 0)
        uninvited = sum(1 for outcome, count in outcomes if outcome == clients.NEVER and count > 0)
        memory, files = samples.grew()
        # The pools fill up at first; an hour is not at first.
        most_files = 60 if SECONDS >= 600 else 200
        if doubled:
            wrong.append(f"{doubled} requests reached a service twice")
        if repeated > len(self.book.downs) + self.book.broken:
            wrong.append(f"{repeated} GETs were repeated, more than connections broke")
        if lost:
            wrong.append(f"{lost} requests were answered and never reached a service")
        if uninvited:
            wrong.append(f"{uninvited} requests reached a service although they were refused or never read")
        if memory > 24:
            wrong.append(f"its memory grew by {memory:.0f} MB")
        if files > most_files or samples.files[-1] > before + 20:
            wrong.append(f"its descriptors grew by {files:.0f}, and {samples.files[-1]} are left of {before}")
        if gateway.process.poll() is not None:
            wrong.append("the gateway ended")
        for name, (_, failed, _) in zip(("HTTP/1.1", "HTTP/2"), bulk):
            if failed:
                wrong.append(f"{failed} requests of the bulk failed over {name}")
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.book.kinds.items()))
        loads = ", ".join(
            f"{good} at {rate:.0f}/s over {name}" for name, (good, _, rate) in zip(("HTTP/1.1", "HTTP/2"), bulk))
        say(f"{len(outcomes)} requests ({kinds}); bulk: {loads}")
        say(f"{self.shop.changes} tables, {self.book.broken} breaks while services were killed, {repeated} GETs repeated")
        say(f"memory {samples.memory[0]:.0f} MB at first, {samples.memory[-1]:.0f} MB at last ({memory:+.1f} over the last half); "
            f"descriptors {before} at first, {samples.files[-1]} at last")
        return wrong


def main():
    random.seed(SEED)
    say(f"{SECONDS:.0f} s, seed {SEED}")
    with tempfile.TemporaryDirectory(prefix="msx-soak-") as folder:
        try:
            wrong = asyncio.run(Soak(folder).run())
        finally:
            Program.end_all()
    for one in wrong:
        print(f"wrong: {one}", flush=True)
    sys.exit(1 if wrong else 0)


main()
