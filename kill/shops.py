"""What is created, changed and deleted while things are killed: the shop of `examples/`, with effects that can be counted."""

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
    """A baseline with an overlay, each of which can be made into another version; with a service that writes the ledger, and
    initialisers of every kind whose effects can be counted."""

    baseline_name = "shop"
    overlay_name = "feat-refunds"
    # The service that `env scale` makes two of.
    scaled = "payments"
    # By mode, the service that an update changes.
    changed = {"baseline": "cart", "overlay": "payments"}
    # By mode, which step makes which entry of the ledger.
    initialised = {"baseline": {"service/books/init/0": "books-0", "service/books/init/1": "http"},
                   "overlay": {"service/payments/init/0": "payments-0"}}
    COUNTED = "CREATE TABLE IF NOT EXISTS counted (at timestamptz); INSERT INTO counted VALUES (now());\n"

    def __init__(self, ledger):
        self.ledger = ledger

    def request(self, mode, version):
        """The body of a create or update."""
        text = self.baseline(version) if mode == "baseline" else self.overlay(version)
        return {"blueprint": text, "file": "kill.yaml", "folder": EXAMPLE, "files": self.files(mode)}

    def entries(self):
        """How often each effect was written down: (environment, what) → times."""
        found = {}
        if os.path.exists(self.ledger):
            with open(self.ledger) as file:
                for line in file:
                    environment, what, _ = line.split()
                    found[environment, what] = found.get((environment, what), 0) + 1
        return found

    def baseline(self, version):
        with open(f"{EXAMPLE}/baseline.yaml") as file:
            text = file.read()
        for old, new in [
            ("init: { type: sql, script: orders.sql }", "init:\n      - { type: sql, script: orders.sql }\n"
             "      - { type: sql, script: counted.sql }"),
            # What an update changes: the program looks at no argument.
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

    def judge(self, url, overlay):
        """Which kind of answer there is just now; raises `Wrong` where it may never be."""
        page = url.rstrip("/") + "/checkout?order=1"
        status, fields, body = get(page, {"x-msx-env": self.overlay_name} if overlay else {})
        if status == 0:
            return "connection refused or broken"
        if error := fields.get("x-msx-error"):
            return f"stated {status} {error}"
        said = json.loads(body)
        if status in (404, 502) and "error" in said:
            return "stated by a service"
        seen = (status, said["payments"]["version"], said["order"]["customer"], said["cart"]["items"].get("coffee beans"))
        right = (200, "v2" if overlay else "v1", "Ada", 2)
        if seen != right:
            raise Wrong(f"{page} was answered with {seen} instead of {right}")
        return "right"

    def counted(self, product):
        """How often the script that must run once has run."""
        said = product.command(
            "env", "exec", self.baseline_name, "orders-db", "--", "sh", "-c",
            'PGPASSWORD="$POSTGRES_PASSWORD" psql -X -At -h 127.0.0.1 -p "$PORT" -U postgres -c "SELECT count(*) FROM counted"')
        return int(said.strip())
