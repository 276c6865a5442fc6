"""Twenty-four services of a baseline and four overlays, killed at random under load: each answer is the right copy's, or a
stated error, and never another environment's."""

import contextlib
import http.client
import json
import os
import random
import signal
import threading
import time
import urllib.parse

import leftovers
from product import NoReply, Wrong, eventually, get
from shops import indented, member

# Who calls whom; every other one answers by itself.
CALLS = {"s1": "s2", "s2": "s3", "s4": "s5", "s6": "s7"}
SERVICES = [f"s{number}" for number in range(1, 9)]
# Name, parent, what it runs itself: with the baseline's eight, 24 services.
OVERLAYS = [
    ("ov-a", "home", ["s1", "s2", "s3", "s4"]), ("ov-b", "home", ["s2", "s5", "s6", "s7"]),
    ("ov-c", "home", ["s1", "s3", "s8", "s6"]), ("ov-d", "ov-a", ["s4", "s5", "s8", "s7"])]
CLIENTS = 8
# The gateway's own words for "just now nobody can answer".
STATED = {"no_endpoint", "starting", "connect_failed", "upstream_reset", "response_timeout"}


class Load:
    def __init__(self, product, seed, seconds, enough):
        self.product = product
        self.seconds = seconds
        self.random = random.Random(seed)
        self.seed = seed
        self.over = threading.Event()
        # Somebody wants it to end before its time.
        self.enough = enough
        self.lock = threading.Lock()
        self.counts = {}
        self.wrong = []
        self.killed = {}
        self.ids = {}
        self.urls = {}
        self.lineage = {"home": ["home"]}
        self.own = {"home": set(SERVICES)}
        for name, parent, services in OVERLAYS:
            self.lineage[name] = [name, *self.lineage[parent]]
            self.own[name] = set(services)

    # Making it

    def blueprint(self, name, services):
        texts = []
        for service in services:
            following = f', NEXT_URL: "${{services.{CALLS[service]}.url}}"' if service in CALLS else ""
            version = "v1" if name == "home" else name
            expose = "expose: true\n" if name == "home" else ""
            # Only what differs is said by an overlay.
            env = f"env: {{ VERSION: {version}{following if name == 'home' else ''} }}"
            texts.append(indented(member(service, expose + env) if name == "home" else f"- name: {service}\n  {env}"))
        return f"name: {name}\nautoShutdownEnabled: false\nservices:\n" + "\n".join(texts) + "\n"

    def make(self):
        for name, parent, services in [("home", None, SERVICES), *OVERLAYS]:
            body = {"blueprint": self.blueprint(name, services), "folder": "/"}
            path = f"/v1/baselines/{parent}/overlays" if parent else "/v1/baselines"
            status, data = self.product.call("POST", path, body)
            if status != 202:
                raise Wrong(f"{path} answered {status}: {data}")
            self.ids[name] = data["environment"]["id"]
            self.until_running(name)
            self.urls[name] = {
                endpoint["service"]: endpoint["url"] for endpoint in self.product.environment(name)["endpoints"]}

    def until_running(self, name, limit=120):
        def running():
            try:
                environment = self.product.environment(name)
            except NoReply:
                return self.product.ensure() and None
            if environment["state"] != "running":
                raise Wrong(f"{name} is {environment['state']}: {environment.get('message')}")
            return environment

        return eventually(f"{name} to run", running, limit)

    def provider(self, context, service):
        return next(name for name in self.lineage[context] if service in self.own[name])

    # Asking

    def complaint(self, context, service, status, fields, body):
        """Which kind of answer it is; raises `Wrong` where it may not be."""
        if status == 0:
            return "broken"
        error = fields.get("x-msx-error")
        if error:
            if status < 500 or error not in STATED:
                raise Wrong(f"{status} {error}: {body[:200]}")
            return f"stated {status} {error}"
        said = json.loads(body)
        kind, first = "right", f"{service}@{self.provider(context, service)}#r1"
        while said is not None:
            expected = self.provider(context, service)
            version = "v1" if expected == "home" else expected
            if (said["service"], said["environment"], said["version"]) != (service, self.ids[expected], version):
                raise Wrong(f"{service} for {context} was answered by {said}, expected {expected}")
            following = CALLS.get(service)
            if "failed" in said:
                failed = str(said["failed"])
                if failed not in STATED | {"broken"} and "502" not in failed and "failed" not in failed:
                    raise Wrong(f"{service} for {context} was told {failed}")
                kind = f"stated by a service: {failed if len(failed) < 30 else 'the next one failed'}"
                break
            if ("next" in said) != bool(following):
                raise Wrong(f"{service} for {context} said {said}")
            said, service = said.get("next"), following
        if status != (200 if kind == "right" else 502):
            raise Wrong(f"{service} for {context}: {status} {body[:200]}")
        if fields.get("x-msx-provider") != first:
            raise Wrong(f"{first} answered, and the gateway says {fields.get('x-msx-provider')}")
        return kind

    def client(self, number):
        chance = random.Random(self.seed * 100 + number)
        kept = {}
        while not self.over.is_set():
            context, service = chance.choice(list(self.lineage)), chance.choice(SERVICES)
            way = chance.random()
            if way < 0.5:
                url, headers = self.urls["home"][service], {"x-msx-env": context} if context != "home" else {}
            elif way < 0.95:
                url, headers = self.urls[context][service], {}
            else:
                url, headers, context = self.urls["home"][service], {"x-msx-env": "nobody"}, None
            status, fields, body = self.keep_alive(kept, url, headers) if chance.random() < 0.7 else get(url, headers)
            try:
                if context is None:
                    if status != 404 or fields.get("x-msx-error") != "unknown_environment":
                        raise Wrong(f"an unknown context was answered with {status} {body[:200]}")
                    kind = "refused: unknown context"
                else:
                    kind = self.complaint(context, service, status, fields, body)
            except (Wrong, ValueError, KeyError, TypeError) as problem:
                with self.lock:
                    self.wrong.append(f"{headers} {url} {service}: {problem!r} {body[:300]}")
                kind = "WRONG"
            with self.lock:
                self.counts[kind] = self.counts.get(kind, 0) + 1
            time.sleep(0.004)

    def keep_alive(self, kept, url, headers):
        """Over a connection of this thread that is used again."""
        parts = urllib.parse.urlsplit(url)
        connection = kept.get(parts.port) or http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
        try:
            connection.request("GET", "/", headers=headers)
            reply = connection.getresponse()
            body = reply.read().decode()
            kept[parts.port] = connection
            return reply.status, {name.lower(): value for name, value in reply.getheaders()}, body
        except (OSError, http.client.HTTPException) as problem:
            connection.close()
            kept.pop(parts.port, None)
            return 0, {}, repr(problem)

    # Killing

    def strike(self):
        until = time.monotonic() + self.seconds
        last = time.monotonic()
        while time.monotonic() < until and len(self.wrong) < 20 and not self.enough.is_set():
            time.sleep(self.random.uniform(0.1, 0.9))
            way = self.random.random()
            environment = self.random.choice(list(self.ids.values()))
            if way < 0.94:
                mains = [pid for pids in leftovers.mains(environment).values() for pid in pids]
                victims, kind = self.random.sample(mains, min(len(mains), self.random.choice([1, 1, 1, 2, 4]))), "services"
            elif way < 0.97:
                victims, kind = leftovers.supervisors(environment), "supervisors"
            else:
                victims, kind = [self.product.server.pid], "servers"
            for pid in victims:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
                    self.killed[kind] = self.killed.get(kind, 0) + 1
            if kind == "servers":
                self.product.server.wait()
            self.product.ensure()
            if time.monotonic() - last > 30:
                last = time.monotonic()
                print(f"{until - last:.0f} s left, killed {self.killed}, answers {sum(self.counts.values())}, "
                      f"wrong {len(self.wrong)}", flush=True)

    def run(self):
        """Gives what went wrong."""
        self.make()
        clients = [threading.Thread(target=self.client, args=(number,), daemon=True) for number in range(CLIENTS)]
        for thread in clients:
            thread.start()
        try:
            self.strike()
        finally:
            self.over.set()
            for thread in clients:
                thread.join(60)
        began = time.monotonic()
        for name in self.ids:
            self.until_running(name)
        for context in self.lineage:
            for service in SERVICES:
                eventually(
                    f"{service} for {context}", lambda: self.complaint(
                        context, service, *get(self.urls[context][service])) == "right" or None, 30)
        self.counts["seconds until all was well again"] = round(time.monotonic() - began, 1)
        for name, id in self.ids.items():
            twice = {instance: pids for instance, pids in leftovers.mains(id).items() if len(pids) != 1}
            if twice or len(leftovers.mains(id)) != len(self.own[name]):
                self.wrong.append(f"{name} runs {leftovers.mains(id)}")
        for name in reversed(list(self.ids)):
            self.delete(name)
        return self.wrong

    def delete(self, name):
        status, data = self.product.call("DELETE", f"/v1/environments/{name}")
        if status != 202:
            raise Wrong(f"delete of {name} answered {status}: {data}")

        def gone():
            if left := leftovers.of_environment(self.product, self.ids[name]):
                raise Wrong("; ".join(left))
            return True

        eventually(f"nothing of {name} being left", gone, 60)
