"""Rounds of create, update and delete of a baseline and its overlay, in which every operation is struck by a kill, and
what must hold after each of them."""

import random
import sqlite3
import time
import uuid

import leftovers
from killers import Kill, Outside
from product import NoReply, Wrong, eventually

OPERATIONS = [
    ("create", "baseline"), ("create", "overlay"), ("update", "baseline"), ("update", "overlay"),
    ("delete", "overlay"), ("delete", "baseline")]
FINAL = {"succeeded", "failed", "undone", "cancelled"}
# How much longer than measured an operation is expected to be under way, for kills at random moments.
STRETCH = 1.3


class Tally:
    def __init__(self):
        self.kills = {}
        self.missed = self.asked = self.repeated = self.undone = self.operations = self.unanswered = 0
        self.stated_doubles = 0
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

    # Asking

    def name(self, mode):
        return self.shop.baseline_name if mode == "baseline" else self.shop.overlay_name

    def request(self, verb, mode, version):
        name = self.name(mode)
        if verb == "delete":
            return "DELETE", f"/v1/environments/{name}", None
        body = self.shop.request(mode, version)
        if verb == "update":
            return "POST", f"/v1/environments/{name}/revisions", body
        return "POST", "/v1/baselines" if mode == "baseline" else f"/v1/baselines/{self.shop.baseline_name}/overlays", body

    def run(self, kills):
        for verb, mode in OPERATIONS:
            self.now = f"{verb} {mode}, kill: {kills.get((verb, mode))}"
            self.operation(verb, mode, kills.get((verb, mode)))
        self.is_clean()

    def operation(self, verb, mode, kill):
        self.version += 1
        version = f"v{self.version}" if verb != "create" else "v1" if mode == "baseline" else "v2"
        outside = None
        if kill and kill.number is not None:
            self.product.arm(kill.role, kill.number)
        elif kill:
            outside = Outside(kill, self.product, lambda: self.living(mode))
            outside.start()
        self.tally.operations += 1
        try:
            began = time.monotonic()
            self.carry_out(verb, mode, version)
            took = time.monotonic() - began
        finally:
            hit = outside.hit if outside else self.product.disarm() if kill else False
            if outside:
                outside.end()
        self.product.ensure()
        if kill and hit:
            self.tally.killed(kill.kind)
            self.tally.recoveries.append(took)
        elif kill:
            self.tally.missed += 1
        self.settle(verb, mode)

    def living(self, mode):
        """The environments whose supervisors a kill is meant for, by the folders that are there."""
        if mode in self.ids:
            return [self.ids[mode]]
        import os

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
        else:
            self.wanted[mode] = version

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
            elif verb == "update":
                last = store.execute(
                    "SELECT kind FROM executions WHERE environment = ? ORDER BY sequence DESC LIMIT 1", row).fetchone()
                if (last[0] == "update" and self.is_new_update(store, row[0])) != bool(replied):
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
                if environment is None or environment["state"] != "running":
                    raise Wrong(f"{self.name(mode)} is {environment and environment['state']}: "
                                f"{environment and environment.get('message')}")
            url = self.product.environment(self.shop.baseline_name)["endpoints"][0]["url"]
            self.shop.ask(url, self.ids, self.wanted, overlay=False)
            if "overlay" in self.ids:
                self.shop.ask(url, self.ids, self.wanted, overlay=True)
            return True

        eventually("right answers", answers, limit=90)
        self.nothing_runs_twice()
        self.effects()

    def effects(self):
        entries = self.shop.entries()
        for mode, environment in self.ids.items():
            for step, what in self.shop.initialised[mode].items():
                times = entries.get((environment, what), 0)
                allowed = 1 + self.accepted.get((environment, step), 0)
                if not 1 <= times <= allowed:
                    raise Wrong(f"the effect of {step} was there {times} times, and stated is at most {allowed}")
                if times > 1:
                    self.tally.stated_doubles += 1

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
            if ports := leftovers.listening(self.product.ports):
                raise Wrong(f"somebody listens on {ports}")
            return True

        eventually("no port being listened on", quiet, limit=15)
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


def schedule(points, times, kills, seed):
    """For each round the kill of each operation. With `kills` as `None`, every point of every part is there."""
    chance = random.Random(seed)
    lists = {}
    for operation in OPERATIONS:
        numbered = [
            Kill(role, number)
            for role in ("serve", "supervise", "gateway") for number in range(1, points.get((*operation, role), 0) + 1)]
        chance.shuffle(numbered)
        lists[operation] = numbered
    rounds = max(len(list) for list in lists.values())
    if kills is not None:
        rounds = min(rounds, -(-kills // len(OPERATIONS)))
    plan = []
    for number in range(rounds):
        chosen = {}
        for operation in OPERATIONS:
            moment = chance.uniform(0, times[operation] * STRETCH)
            # Where every point had its turn, moments from outside follow; some also in between, where kills are counted.
            if number < len(lists[operation]) and (kills is None or chance.random() < 0.7):
                chosen[operation] = lists[operation][number]
            else:
                role = chance.choice(["serve", "serve", "supervise", "gateway", "commit", "commit", "commit"])
                chosen[operation] = (
                    Kill("serve", after=moment, in_commit=True) if role == "commit" else Kill(role, after=moment))
        plan.append(chosen)
    return plan
