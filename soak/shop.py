"""The routing table that changes all the time, and what is right at each moment."""

import asyncio
import json
import random
import time

HEADER = "x-msx-env"


class Shop:
    """A baseline with `web` (HTTP) and `db` (TCP), and overlays that have a copy of `web`, or inherit it, or are gone."""

    def __init__(self, origins, overlays, web_port, db_port):
        self.origins = origins  # name → (http, tcp)
        self.web_port, self.db_port = web_port, db_port
        self.version = 1
        names = [name for name in origins if name != "base"]
        self.copies = {f"ov-{number}": names[number % len(names)] for number in range(overlays)}
        self.states = {overlay: "own" for overlay in self.copies}
        # For each overlay what its requests may find, with the times from and until when.
        self.history = {overlay: [(0.0, None, self.copies[overlay])] for overlay in self.copies}
        self.changes = 0

    def table(self):
        def service(name, origin):
            http, tcp = self.origins[origin]
            transport, port = ("http", http) if name == "web" else ("tcp", tcp)
            return {
                "name": name, "exposed": True, "ready": True,
                "ports": [{"name": transport, "transport": transport, "host": "127.0.0.1", "port": port}],
            }

        def environment(id, services, **more):
            return {
                "id": id, "name": id.removeprefix("env-"), "revision": 1, "state": "serving", "headerName": HEADER,
                "propagateHeader": True, "onUnknownContext": "reject", "removed": [], "services": services, **more,
            }

        environments = [environment("env-base", [service("web", "base"), service("db", "base")])]
        for overlay, state in self.states.items():
            if state != "gone":
                own = [service("web", self.copies[overlay])] if state == "own" else []
                environments.append(environment(f"env-{overlay}", own, overlayID=overlay, parent="env-base"))
        listeners = [
            {
                "host": "127.0.0.1", "port": port, "environment": "env-base", "caller": {"edge": {}}, "service": name,
                "portName": None, "isTCP": name == "db",
            }
            for name, port in (("web", self.web_port), ("db", self.db_port))
        ]
        return {"version": self.version, "environments": environments, "listeners": listeners}

    def finds(self, overlay, state):
        return {"own": self.copies[overlay], "inherits": "base", "gone": "unknown_environment"}[state]

    async def change(self, put):
        """One overlay becomes something else; both answers are right until the gateway has said that it knows."""
        overlay = random.choice(list(self.states))
        state = random.choice([state for state in ("own", "own", "inherits", "gone") if state != self.states[overlay]])
        self.states[overlay] = state
        self.version += 1
        past = self.history[overlay]
        past.append((time.monotonic(), None, self.finds(overlay, state)))
        await put("/table", self.table())
        start, _, found = past[-2]
        past[-2] = (start, time.monotonic(), found)
        del past[:-50]
        self.changes += 1

    def right(self, overlay, begun):
        """What a request that began then may have found, if its answer came just now."""
        if overlay is None:
            return {"base"}
        return {found for start, end, found in self.history[overlay] if end is None or end >= begun}


class Control:
    """The gateway's control socket, as a server uses it."""

    def __init__(self, path):
        self.path = path

    async def put(self, target, value):
        body = json.dumps(value).encode()
        head = f"PUT {target} HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n"
        reader, writer = await asyncio.open_unix_connection(self.path, limit=1 << 22)
        writer.write(head.encode() + body)
        answer = await reader.read()
        writer.close()
        if not answer.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"error: the gateway refused its table: {answer[-300:]!r}")
        reply = json.loads(answer.partition(b"\r\n\r\n")[2])
        refused = [listener for listener in reply["listeners"] if listener.get("error")]
        if refused:
            raise SystemExit(f"error: the gateway could not listen: {refused}")
