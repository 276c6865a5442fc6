"""What is created, changed and deleted while things are killed: the shop of `examples/`, and a smaller one that is quick.

Both have initialisers of every kind whose effects are written down outside: a line in the ledger, a row in a table.
"""

import json
import os

from product import Wrong, get

HERE = os.path.dirname(os.path.abspath(__file__))
EXAMPLE = os.path.join(os.path.dirname(HERE), "examples", "shop")
MEMBER = f"{HERE}/services/member.py"
PYTHON = "/usr/bin/python3"


def indented(text, by=2):
    return "\n".join(" " * by + line for line in text.strip("\n").splitlines())


def member(name, lines=""):
    command = f"[{PYTHON}, -S, -E, -B, {MEMBER}]"
    extra = "".join(f"\n  {line}" for line in lines.strip("\n").splitlines())
    return f"- name: {name}\n  command: {command}\n  ports: [\"8080\"]{extra}"


def entry(what):
    return f"{{ type: command, command: [{PYTHON}, -S, -E, -B, {MEMBER}, entry, {what}] }}"


class Shop:
    """A baseline with an overlay, each of which can be made into another version."""

    # Set by the small and the whole one.
    kind = ""
    baseline_name = ""
    overlay_name = ""
    folder = "/"

    def __init__(self, ledger):
        self.ledger = ledger

    def request(self, mode, version):
        """The body of a create or update."""
        text = self.baseline(version) if mode == "baseline" else self.overlay(version)
        return {"blueprint": text, "file": "kill.yaml", "folder": self.folder, "files": self.files(mode)}

    def files(self, mode):
        return {}

    def entries(self):
        """How often each effect was written down: (environment, what) → times."""
        found = {}
        if os.path.exists(self.ledger):
            with open(self.ledger) as file:
                for line in file:
                    environment, what, _ = line.split()
                    found[environment, what] = found.get((environment, what), 0) + 1
        return found


class SmallShop(Shop):
    """Three services in a row, all of one small program."""

    kind = "small"
    baseline_name = "base"
    overlay_name = "feat"
    initialised = {"baseline": {"service/back/init/0": "back-0", "service/back/init/1": "http"},
                   "overlay": {"service/middle/init/0": "middle-0"}}

    def baseline(self, version):
        ledger = f"LEDGER: {self.ledger}"
        services = [
            member("front", f"expose: true\nenv: {{ NEXT_URL: \"${{services.middle.url}}\", {ledger} }}"),
            member("middle", f"env: {{ NEXT_URL: \"${{services.back.url}}\", {ledger} }}"),
            member("back", f"""
env: {{ VERSION: {version}, {ledger}, TOKEN: "${{secrets.token}}" }}
secrets: [{{ name: token, envKey: BACK_TOKEN, value: auto-generated }}]
volumes: [{{ name: data, mountPath: /data }}]
init:
  - {entry("back-0")}
  - {{ type: http, request: {{ method: POST, path: /entry }} }}
""")]
        return f"name: {self.baseline_name}\nservices:\n" + "\n".join(indented(text) for text in services) + "\n"

    def overlay(self, version):
        text = member("middle", f"env: {{ VERSION: {version} }}\ninit: {entry('middle-0')}")
        return f"name: {self.overlay_name}\nservices:\n" + indented(text) + "\n"

    def ask(self, url, ids, wanted, overlay):
        """Raises `Wrong` unless the answer is exactly the right one."""
        status, fields, body = get(url, {"x-msx-env": self.overlay_name} if overlay else {})
        if status != 200:
            raise Wrong(f"{url} answered {status} {fields.get('x-msx-error')} {body[:300]}")
        said = json.loads(body)
        middle = ("overlay", wanted["overlay"]) if overlay else ("baseline", "v1")
        right = [("front", ids["baseline"], "v1"), ("middle", ids[middle[0]], middle[1]),
                 ("back", ids["baseline"], wanted["baseline"])]
        seen = []
        while said:
            seen.append((said["service"], said["environment"], said["version"]))
            said = said.get("next")
        if seen != right:
            raise Wrong(f"{url} was answered by {seen} instead of {right}")


class WholeShop(Shop):
    """The shop of `make demo`, with PostgreSQL and Redis, and a service that writes the ledger."""

    kind = "shop"
    baseline_name = "shop"
    overlay_name = "feat-refunds"
    folder = EXAMPLE
    initialised = {"baseline": {"service/books/init/0": "books-0", "service/books/init/1": "http"},
                   "overlay": {"service/payments/init/0": "payments-0"}}
    COUNTED = "CREATE TABLE IF NOT EXISTS counted (at timestamptz); INSERT INTO counted VALUES (now());\n"

    def baseline(self, version):
        with open(f"{EXAMPLE}/baseline.yaml") as file:
            text = file.read()
        for old, new in [
            ("init: { type: sql, script: orders.sql }", "init:\n      - { type: sql, script: orders.sql }\n"
             "      - { type: sql, script: counted.sql }"),
            # Does not need the time that a server's own name takes to be found out.
            ("command: [/usr/bin/python3, -B, cart.py]",
             f"command: [/usr/bin/python3, -B, cart.py, {version}]"),
        ]:
            if text.count(old) != 1:
                raise SystemExit(f"error: examples/shop/baseline.yaml has no `{old}`")
            text = text.replace(old, new)
        books = member("books", f"""
env: {{ LEDGER: {self.ledger}, VERSION: {version}, ORDERS: "${{services.orders.url}}" }}
init:
  - {entry("books-0")}
  - {{ type: http, request: {{ method: POST, path: /entry }} }}
""")
        return text.rstrip("\n") + "\n\n" + indented(books) + "\n"

    def overlay(self, version):
        return f"""name: {self.overlay_name}
services:
  - name: payments
    command: [/usr/bin/python3, -B, payments_v2.py, {version}]
    env: {{ LEDGER: {self.ledger} }}
    init: {entry("payments-0")}
"""

    def files(self, mode):
        if mode == "overlay":
            return {}
        with open(f"{EXAMPLE}/orders.sql") as file:
            return {f"{EXAMPLE}/orders.sql": file.read(), f"{EXAMPLE}/counted.sql": self.COUNTED}

    def ask(self, url, ids, wanted, overlay):
        page = url.rstrip("/") + "/checkout?order=1"
        status, fields, body = get(page, {"x-msx-env": self.overlay_name} if overlay else {})
        if status != 200:
            raise Wrong(f"{page} answered {status} {fields.get('x-msx-error')} {body[:300]}")
        said = json.loads(body)
        seen = (said["payments"]["version"], said["order"]["customer"], said["cart"]["items"].get("coffee beans"))
        right = ("v2" if overlay else "v1", "Ada", 2)
        if seen != right:
            raise Wrong(f"{page} was answered with {seen} instead of {right}")

    def counted(self, product):
        """How often the script that must run once has run."""
        said = product.command(
            "env", "exec", self.baseline_name, "orders-db", "--", "sh", "-c",
            'PGPASSWORD="$POSTGRES_PASSWORD" psql -X -At -h 127.0.0.1 -p "$PORT" -U postgres -c "SELECT count(*) FROM counted"')
        return int(said.strip())
