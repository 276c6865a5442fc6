"""The real binary with a state folder of its own: starting, ending and asking its server, and arming its crash points."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import time
import urllib.parse

import leftovers


class Wrong(Exception):
    """Something that must not be."""


class NoReply(Wrong):
    """The server ended, or does not run, before it answered: whether it did what was asked is open. Where somebody waits for
    something, it is asked again."""


def eventually(what, check, limit=90.0, pause=0.03):
    """Calls `check` until it gives something; it says why not yet by raising `Wrong`."""
    deadline = time.monotonic() + limit
    last = "nothing"
    while True:
        try:
            if (found := check()) is not None:
                return found
        except Wrong as problem:
            last = problem
        if time.monotonic() > deadline:
            raise Wrong(f"{what} did not come within {limit:.0f} s; last seen: {last}")
        time.sleep(pause)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Product:
    def __init__(self, binary, home, ports):
        self.binary = binary
        self.home = home
        self.ports = ports
        # Other people's.
        self.foreign = set(leftovers.listening(ports))
        self.side = home + ".side"  # ours: never in a path that is looked for as the product's
        self.armed_file = f"{self.side}/armed"
        self.server = None
        self.armings = 0
        # What is armed, what follows when that has struck, and what has.
        self.armed = self.encore = None
        self.struck = []
        for folder in (home, self.side):
            os.makedirs(folder, exist_ok=True)
            os.chmod(folder, 0o711)
        os.makedirs(f"{home}/environments", exist_ok=True)
        os.chmod(f"{home}/environments", 0o711)

    @property
    def variables(self):
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        kept["MICROSTAX_HOME"] = self.home
        kept["MICROSTAX_PORTS"] = f"{self.ports[0]}-{self.ports[1]}"
        kept["MICROSTAX_CRASH_POINTS"] = self.armed_file
        return kept

    # The server

    def start(self, limit=90.0):
        """Returns when it answers; one that is killed meanwhile (it may be armed) is started again."""
        with open(f"{self.side}/serve.log", "ab") as log:
            self.server = subprocess.Popen(
                [self.binary, "serve"], env=self.variables, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                start_new_session=True)

        def answers():
            if self.ended():
                return "killed"
            with contextlib.suppress(NoReply):
                status, health = self.call("GET", "/v1/health", timeout=10)
                if status == 200 and health["pid"] == self.server.pid:
                    return "answers"

        eventually("the server", answers, limit)

    def ended(self):
        """Whether it was killed; an end of another kind is wrong."""
        code = self.server.poll()
        if code is None:
            return False
        if code != -signal.SIGKILL:
            raise Wrong(f"the server ended by itself with {code}:\n{self.tail()}")
        return True

    def ensure(self):
        """Starts it again as often as it was killed; gives how often."""
        times = 0
        self.strike_again()
        while self.ended():
            times += 1
            self.strike_again()
            self.start()
        return times

    def kill(self):
        self.server.kill()
        self.server.wait()

    def tail(self, size=3000):
        with open(f"{self.side}/serve.log", errors="replace") as log:
            return log.read()[-size:]

    def command(self, *words, check=True, timeout=120):
        done = subprocess.run(
            [self.binary, *words], env=self.variables, capture_output=True, text=True, timeout=timeout, cwd="/")
        if check and done.returncode != 0:
            raise Wrong(f"microstax {' '.join(words)} ended with {done.returncode}: {done.stderr}")
        return done.stdout

    # The API

    def call(self, method, path, body=None, key=None, timeout=60.0):
        """Status and `data`, or `error`."""
        connection = UnixConnection(f"{self.home}/server.sock", timeout)
        headers = {"content-type": "application/json", **({"idempotency-key": key} if key else {})}
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            reply = connection.getresponse()
            content = reply.read()
        except (OSError, http.client.HTTPException) as problem:
            raise NoReply(f"{method} {path}: {problem!r}") from None
        finally:
            connection.close()
        parsed = json.loads(content)
        return reply.status, parsed.get("data", parsed.get("error"))

    def environment(self, name):
        """`None` where there is none."""
        status, data = self.call("GET", f"/v1/environments/{name}")
        if status == 404:
            return None
        if status != 200:
            raise Wrong(f"GET of {name} answered {status}: {data}")
        return data

    def execution(self, id):
        status, data = self.call("GET", f"/v1/executions/{id}")
        if status != 200:
            raise Wrong(f"the acknowledged execution {id} is lost: {status} {data}")
        return data

    # Crash points

    def arm(self, role, number, encore=None):
        """Role `none` only counts. The encore, another (role, number), is armed when this has struck."""
        self.armed, self.encore = (role, number), encore
        self.armings += 1
        token = f"a{self.armings}"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.armed_file + ".trace")
        with open(self.armed_file + ".tmp", "w") as file:
            file.write(f"{token} {role} {number}\n")
        os.rename(self.armed_file + ".tmp", self.armed_file)

    def strike_again(self):
        if self.armed and not os.path.exists(self.armed_file):
            self.struck.append(self.armed[0])
            self.armed = None
            if self.encore:
                self.arm(*self.encore)

    def disarm(self):
        """Gives the roles that were struck since the last time."""
        self.encore = None
        self.strike_again()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.armed_file)
        self.armed = None
        struck, self.struck = self.struck, []
        return struck

    def trace(self):
        """(role, pid, number, name) of every passage since it was armed."""
        try:
            with open(self.armed_file + ".trace") as file:
                lines = file.read().splitlines()
        except FileNotFoundError:
            return []
        rows = [line.split(" ", 4) for line in lines]
        return [(row[1], int(row[2]), int(row[3]), row[4]) for row in rows if len(row) == 5 and row[0] == f"a{self.armings}"]


def get(url, headers={}, timeout=15.0):
    """Status, fields in lower case, body; status 0 where the connection was refused or broke."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
    try:
        connection.request("GET", parts.path + (f"?{parts.query}" if parts.query else ""), headers=headers)
        reply = connection.getresponse()
        body = reply.read()
        return reply.status, {name.lower(): value for name, value in reply.getheaders()}, body.decode(errors="replace")
    except (OSError, http.client.HTTPException) as problem:
        return 0, {}, repr(problem)
    finally:
        connection.close()
