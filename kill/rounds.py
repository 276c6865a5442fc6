"""Rounds of create, update, delete and more of a baseline and its overlay, in which every operation is struck by a kill, and
what must hold after each of them."""

import os
import random
import sqlite3
import time
import uuid

import leftovers
from killers import Outside, gateways
from plan import OPERATIONS
from product import NoReply, Wrong, eventually
from witness import Witness

FINAL = {"succeeded", "failed", "undone", "cancelled"}


class Tally:
    def __init__(self):
        self.kills = {}
        self.missed = self.asked = self.repeated = self.undone = self.operations = self.unanswered = 0
        self.stated_doubles = set()
        self.longest = ""
        self.answers = {}
        self.recoveries = []

    def killed(self, kind):
        self.kills[kind] = self.kills.get(kind, 0) + 1

    @property
    def total(self):
        return sum(self.kills.values())


class Round:
    """One life of a baseline and its overlay."""

    def __init__(self, product, shop, seed, tally):
        self.product = product
        self.shop = shop
        self.random = random.Random(seed)
        self.tally = tally
        self.ids = {}
        self.wanted = {}
        self.version = 0
        self.acknowledged = []
        # Steps that were repeated although nobody knew whether they had taken effect: (environment, step) → times.
        self.accepted = {}
        self.now = ""
        self.stopped = None

    # Asking

    def name(self, mode):
        return self.shop.baseline_name if mode == "baseline" else self.shop.overlay_name

    def request(self, verb, mode, version):
        name = self.name(mode)
        if verb == "delete":
            return "DELETE", f"/v1/environments/{name}", None
        body = self.shop.request(mode, version) if verb in ("create", "abandon", "update") else None
        if verb == "update":
            return "POST", f"/v1/environments/{name}/revisions", body
        if verb in ("stop", "resume"):
            return "POST", f"/v1/environments/{name}/{verb}", {}
        if verb == "scale":
            return "POST", f"/v1/environments/{name}/scale", {"replicas": {self.shop.scaled: 2}}
        return "POST", "/v1/baselines" if mode == "baseline" else f"/v1/baselines/{self.shop.baseline_name}/overlays", body

    def run(self, kills):
        witness = Witness(self.shop)
        self.witness = witness
        witness.start()
        try:
            for verb, mode in kills or OPERATIONS:
                self.now = f"{verb} {mode}, kill: {kills.get((verb, mode))}"
                self.operation(verb, mode, kills.get((verb, mode)))
                if witness.wrong:
                    raise Wrong(f"a request meanwhile: {witness.wrong[0]}")
        finally:
            witness.end()
            for kind, count in witness.counts.items():
                self.tally.answers[kind] = self.tally.answers.get(kind, 0) + count
        self.is_clean()

    def operation(self, verb, mode, kill):
        self.version += 1
        version = f"v{self.version}"
        if verb in ("create", "abandon"):
            version = "v1" if mode == "baseline" else "v2"
        outside = None
        if kill and kill.number is not None:
            self.product.arm(kill.role, kill.number, kill.encore)
        elif kill:
            outside = Outside(kill, self.product, lambda: self.living(mode))
            outside.start()
        self.tally.operations += 1
        began = time.monotonic()
        try:
            if verb == "abandon":
                self.abandon(mode, version)
            else:
                self.carry_out(verb, mode, version)
            took = time.monotonic() - began
        finally:
            if outside:
                outside.end()
            struck = self.product.disarm()
        self.product.ensure()
        if outside and outside.hit:
            struck.append(kill.role)
        if struck:
            self.tally.killed(kill.kind)
            for role in struck[1:]:
                self.tally.killed(f"{role}, while it recovered")
            if took > max(self.tally.recoveries, default=0):
                self.tally.longest = self.now
            self.tally.recoveries.append(took)
        elif kill:
            self.tally.missed += 1
        self.settle(verb, mode)

    def living(self, mode):
        """The environments whose supervisors a kill is meant for, by the folders that are there."""
        if mode in self.ids:
            return [self.ids[mode]]
        others = set(self.ids.values())
        return [name for name in os.listdir(f"{self.product.home}/environments") if name not in others]

    def carry_out(self, verb, mode, version):
        """Until it is done, whatever is killed; asks again where no answer came."""
        execution = self.acknowledge(verb, mode, version)
        while execution is not None:
            ended = self.until_final(execution)
            if ended["state"] == "succeeded":
                break
            execution = self.answer(ended, verb, mode, version)
        if verb == "delete":
            self.gone(mode)
        elif verb in ("create", "update"):
            self.wanted[mode] = version
        self.stopped = self.name(mode) if verb == "stop" else None

    def abandon(self, mode, version):
        """Deletes it while it is being made."""
        create = self.acknowledge("create", mode, version)
        time.sleep(self.random.uniform(0, 0.2))
        self.carry_out("delete", mode, version)
        ended = self.until_final(create)
        if ended["state"] not in ("cancelled", "succeeded", "failed"):
            raise Wrong(f"the create that a delete superseded ended as {ended['state']}")

    def acknowledge(self, verb, mode, version):
        """The id of the execution, or `None` where what was to be deleted is gone."""
        method, path, body = self.request(verb, mode, version)
        key = f"kill-{uuid.uuid4()}" if method == "POST" else None
        before = self.ids.get(mode)
        while True:
            self.product.ensure()
            try:
                status, data = self.product.call(method, path, body, key)
            except NoReply:
                self.tally.unanswered += 1
                # The process that did not answer is as good as dead; it is waited for.
                eventually("the end of a server that did not answer", lambda: self.product.ended() or None, 30)
                self.whole_or_nothing(verb, mode, key)
                continue
            if status == 404 and verb == "delete":
                return None
            if status == 409 and "being deleted" not in str(data) and self.is_passing(data):
                time.sleep(0.1)
                continue
            if status not in (200, 202):
                raise Wrong(f"{method} {path} answered {status}: {data}")
            if verb == "create":
                self.ids[mode] = data["environment"]["id"]
            elif data["environment"]["id"] != before:
                raise Wrong(f"{path} is now {data['environment']['id']}, not {before}")
            if data.get("execution") is None:
                raise Wrong(f"{method} {path} answered {status} without an execution")
            self.acknowledged.append(data["execution"]["id"])
            return data["execution"]["id"]

    def is_passing(self, problem):
        """A refusal for what a kill before has left for a moment: an environment that is degraded."""
        return "degraded" in problem.get("message", "")

    def whole_or_nothing(self, verb, mode, key):
        """What was not acknowledged is in the store as a whole, with the reply that it would have had, or not at all."""
        if key is None:
            return
        store = sqlite3.connect(f"file:{self.product.home}/store.sqlite?mode=ro", uri=True, timeout=10)
        try:
            replied = store.execute("SELECT count(*) FROM replies WHERE key LIKE ?", (f"%{key}%",)).fetchone()[0]
            row = store.execute(
                "SELECT id FROM environments WHERE name = ? AND state <> 'deleted'", (self.name(mode),)).fetchone()
            if verb == "create":
                if bool(row) != bool(replied):
                    raise Wrong(f"the environment is {'there' if row else 'not there'}, its reply {replied} times")
                if row:
                    for table, least in (("executions", 1), ("revisions", 1)):
                        if store.execute(
                                f"SELECT count(*) FROM {table} WHERE environment = ?", row).fetchone()[0] < least:
                            raise Wrong(f"the environment {row[0]} has no {table}")
            elif verb in ("update", "scale"):
                last = store.execute(
                    "SELECT kind FROM executions WHERE environment = ? ORDER BY sequence DESC LIMIT 1", row).fetchone()
                if (last[0] == verb and self.is_new_update(store, row[0])) != bool(replied):
                    raise Wrong(f"the last execution is {last[0]}, its reply there {replied} times")
        finally:
            store.close()

    def is_new_update(self, store, environment):
        ids = {row[0] for row in store.execute("SELECT id FROM executions WHERE environment = ?", (environment,))}
        return bool(ids - set(self.acknowledged))

    # Converging

    def until_final(self, id):
        looks = 0

        def final():
            nonlocal looks
            self.product.ensure()
            looks += 1
            if looks % 8 == 0:
                self.nothing_runs_twice()
            try:
                execution = self.product.execution(id)
            except NoReply:
                return None
            if execution["state"] in FINAL:
                return execution
            steps = [f"{step['key']} {step['state']} {step.get('message') or ''}" for step in execution["steps"]
                     if step["state"] not in ("succeeded", "pending")]
            raise Wrong(f"{execution['kind']} {execution['state']}: {steps}")

        return eventually(f"the end of {id}", final, limit=150)

    def nothing_runs_twice(self):
        for environment in self.ids.values():
            for instance, pids in leftovers.mains(environment).items():
                if len(pids) > 1:
                    raise Wrong(f"{instance} of {environment} runs twice: {pids}")

    def answer(self, ended, verb, mode, version):
        """A failed execution must have asked; it is answered as a person would. Gives the next execution."""
        unknown = [step for step in ended["steps"] if step["state"] == "outcomeUnknown"]
        if ended["state"] != "failed" or not unknown:
            raise Wrong(f"{ended['kind']} {ended['id']} ended as {ended['state']}: {ended.get('error')}")
        self.tally.asked += 1
        name = self.name(mode)
        self.product.disarm()
        status, data = self.product.call("POST", f"/v1/environments/{name}/retry", {})
        if status != 409:
            raise Wrong(f"a retry of a step of unknown outcome was not refused: {status} {data}")
        if verb == "create" and self.random.random() < 0.3:
            self.tally.undone += 1
            status, data = self.product.call("POST", f"/v1/environments/{name}/undo", {})
            if status != 202:
                raise Wrong(f"undo of {name} answered {status}: {data}")
            undone = self.until_final(data["execution"]["id"])
            if undone["state"] != "undone":
                raise Wrong(f"undo of {name} ended as {undone['state']}: {undone.get('error')}")
            self.gone(mode)
            return self.acknowledge(verb, mode, version)
        self.tally.repeated += 1
        for step in unknown:
            place = (self.ids[mode], step["key"])
            self.accepted[place] = self.accepted.get(place, 0) + 1
        status, data = self.product.call("POST", f"/v1/environments/{name}/retry", {"allow": ["repeat-unknown"]})
        if status != 202:
            raise Wrong(f"retry of {name} answered {status}: {data}")
        self.acknowledged.append(data["execution"]["id"])
        return data["execution"]["id"]

    # What must hold

    def settle(self, verb, mode):
        """Everything that is wanted runs, once, and answers rightly; every effect was there once, or twice as stated."""
        if "baseline" not in self.ids:
            return

        def answers():
            self.product.ensure()
            for mode in self.ids:
                environment = self.product.environment(self.name(mode))
                right = "stopped" if self.name(mode) == self.stopped else "running"
                if environment is None or environment["state"] != right:
                    raise Wrong(f"{self.name(mode)} is {environment and environment['state']}: "
                                f"{environment and environment.get('message')}")
            url = self.product.environment(self.shop.baseline_name)["endpoints"][0]["url"]
            self.witness.url = url
            contexts = [False, True] if "overlay" in self.ids and not self.stopped else [False]
            if said := [kind for overlay in contexts if (kind := self.shop.judge(url, overlay)) != "right"]:
                raise Wrong(f"{url} answers: {said}")
            for mode, version in self.wanted.items():
                if self.name(mode) != self.stopped:
                    self.is_version(mode, version)
            return True

        eventually("right answers", answers, limit=90)
        self.nothing_runs_twice()
        if verb in ("create", "update"):
            self.effects()

    def is_version(self, mode, version):
        """What runs is what was wanted last."""
        service = self.shop.changed[mode]
        titles = [leftovers.title(pid) for pid in leftovers.mains(self.ids[mode]).get(service, [])]
        if len(titles) != 1 or titles[0].split()[-1] != version:
            raise Wrong(f"{service} should be {version}, and what runs is {titles}")

    def effects(self):
        times = eventually("the count of the script", lambda: self.shop.counted(self.product), 30)
        if times != 1:
            raise Wrong(f"the script that runs once has run {times} times")
        entries = self.shop.entries()
        for mode, environment in self.ids.items():
            for step, what in self.shop.initialised[mode].items():
                times = entries.get((environment, what), 0)
                allowed = 1 + self.accepted.get((environment, step), 0)
                if not 1 <= times <= allowed:
                    raise Wrong(f"the effect of {step} was there {times} times, and stated is at most {allowed}")
                if times > 1:
                    self.tally.stated_doubles.add((environment, step))

    def gone(self, mode):
        """Of what was deleted nothing is left but its history."""
        environment = self.ids.pop(mode)
        self.wanted.pop(mode, None)

        def nothing():
            self.product.ensure()
            if left := leftovers.of_environment(self.product, environment):
                raise Wrong("; ".join(left))
            return True

        eventually(f"nothing of {environment} being left", nothing, limit=15)

    def is_clean(self):
        """At the end of a round nobody listens, and every acknowledged execution can still be read and has ended."""

        def quiet():
            self.product.ensure()
            if ports := set(leftovers.listening(self.product.ports)) - self.product.foreign:
                raise Wrong(f"somebody listens on {ports}")
            ours = {self.product.server.pid, *gateways(self.product.home)}
            if others := [pid for pid in leftovers.processes(self.product.home) if pid not in ours]:
                raise Wrong(f"there still are {[leftovers.title(pid) for pid in others]}")
            if folders := os.listdir(f"{self.product.home}/environments"):
                raise Wrong(f"there still are the folders {folders}")
            return True

        eventually("nothing being left", quiet, limit=15)
        for id in self.acknowledged:
            execution = self.product.execution(id)
            if execution["state"] not in FINAL:
                raise Wrong(f"the acknowledged {execution['kind']} {id} is {execution['state']}")


def measure(product, shop, tally):
    """A round without kills: how many points each part passes in each operation, and how long it takes."""
    points, times = {}, {}

    class Measured(Round):
        def operation(self, verb, mode, kill):
            product.arm("none", 0)
            began = time.monotonic()
            super().operation(verb, mode, None)
            times[verb, mode] = time.monotonic() - began
            for role, _, number, _ in product.trace():
                points[verb, mode, role] = max(points.get((verb, mode, role), 0), number)
            product.disarm()

    Measured(product, shop, 0, tally).run({})
    return points, times
