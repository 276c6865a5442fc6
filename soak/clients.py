"""Clients of every kind. Each request has a number of its own; each answer is held against what was right at its time."""

import asyncio
import base64
import os
import random
import time
import zlib

# What became of a request, by its number.
UNKNOWN, ONCE, NEVER = range(3)


class Wrong(Exception):
    """An answer that nobody should ever get."""


class Book:
    """What was asked, what came of it, and when services were down."""

    def __init__(self, shop):
        self.shop = shop
        self.outcomes = bytearray()
        self.kinds = {}
        self.downs = []  # (name, from, until or None)
        self.broken = 0
        self.wrong = []
        self.stopping = False

    def number(self):
        self.outcomes.append(UNKNOWN)
        return len(self.outcomes) - 1

    def count(self, kind):
        self.kinds[kind] = self.kinds.get(kind, 0) + 1

    def excuse(self, begun):
        """A break is nobody's fault while a service was being ended and started."""
        self.broken += 1
        now = time.monotonic()
        if not any(start - 1 <= now and (end is None or end + 3 >= begun) for _, start, end in self.downs):
            raise Wrong("a connection broke although every service ran")


class Connection:
    def __init__(self, book, port):
        self.book, self.port = book, port
        self.reader = self.writer = None

    async def open(self):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 20)

    def close(self):
        if self.writer:
            self.writer.close()
        self.writer = None

    async def send(self, request):
        if not self.writer:
            await self.open()
        self.writer.write(request.head())
        await request.send_body(self.writer)

    async def answer(self, request):
        """Reads the answer and judges it; whether the connection goes on."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")[:-2]
        status = int(first.split(" ")[1])
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await self.body(fields) if request.method != "HEAD" else b""
        request.judge(status, fields, body)
        return fields.get("connection") != "close"

    async def body(self, fields):
        """The first line, with the length of it all behind it."""
        if fields.get("transfer-encoding") == "chunked":
            first, size = b"", 0
            while count := int(await self.reader.readuntil(b"\r\n"), 16):
                piece = await self.reader.readexactly(count)
                await self.reader.readexactly(2)
                first, size = first or piece, size + count
            await self.reader.readuntil(b"\r\n")
        else:
            size = left = int(fields.get("content-length", 0))
            first = b""
            while left:
                piece = await self.reader.readexactly(min(left, 65536))
                first, left = first or piece, left - len(piece)
        line = first.partition(b"\n")[0]
        return line, size


class Request:
    def __init__(self, book, method, overlay, size=0, chunked=False, wanted=0):
        self.book, self.method, self.overlay = book, method, overlay
        self.size, self.chunked, self.wanted = size, chunked, wanted
        self.number = book.number()
        self.begun = time.monotonic()
        self.piece = os.urandom(min(size, 4096)) if size else b""
        self.checksum = 0

    def head(self):
        lines = [f"{self.method} /{self.number} HTTP/1.1", "host: shop", f"x-soak-id: {self.number}"]
        if self.overlay:
            lines.append(f"x-msx-env: {self.overlay}")
        if self.wanted:
            lines.append(f"x-soak-size: {self.wanted}")
        if self.chunked and self.method != "HEAD":
            lines.append("x-soak-chunked: 1")
        if self.size:
            lines.append("transfer-encoding: chunked" if self.chunked else f"content-length: {self.size}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    async def send_body(self, writer):
        left = self.size
        while left:
            piece = self.piece[:left]
            self.checksum = zlib.crc32(piece, self.checksum)
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if self.chunked else piece)
            left -= len(piece)
            if left % 65536 < 4096:
                await writer.drain()
        if self.size and self.chunked:
            writer.write(b"0\r\n\r\n")
        await writer.drain()

    def judge(self, status, fields, body):
        right = self.book.shop.right(self.overlay, self.begun)
        error = fields.get("x-msx-error")
        who = f"{self.method} {self.number} in {self.overlay}"
        if error in ("upstream_reset", "connect_failed", "no_endpoint"):
            return self.book.excuse(self.begun)
        self.book.outcomes[self.number] = NEVER if error else ONCE
        if error:
            if error not in right:
                raise Wrong(f"{who} was answered {status} {error}, right was {sorted(right)}")
            return
        provider = fields.get("x-msx-provider", "").partition("@")[2].partition("#")[0]
        if status != 200 or fields.get("x-soak-id") != str(self.number):
            raise Wrong(f"{who} was answered {status}, for {fields.get('x-soak-id')}")
        copies = {self.overlay: self.book.shop.copies.get(self.overlay), "base": "base"}
        if copies.get(provider) not in right:
            raise Wrong(f"{who} was answered by {provider}, right was {sorted(right)}")
        if body:
            line, size = body
            name, number, length, checksum = line.decode().split(" ")
            if (name, int(number), int(length), int(checksum)) != (
                copies[provider], self.number, self.size, self.checksum
            ) or size != len(line) + 1 + self.wanted:
                raise Wrong(f"{who} was answered {line!r} and {size} bytes, by {provider}")


def overlay(book):
    return random.choice([None, *book.shop.states])


async def patient(book, kind, work):
    """Does `work` again and again; a break is looked into, a wrong answer ends the soak."""
    while not book.stopping:
        begun = time.monotonic()
        try:
            async with asyncio.timeout(90):
                await work()
            book.count(kind)
        except (OSError, asyncio.IncompleteReadError):
            book.excuse(begun)
        except TimeoutError:
            raise Wrong(f"{kind}: nothing came for 90 s") from None
        await asyncio.sleep(random.random() * 0.02)


async def keep_alive(book, web, _):
    connection = Connection(book, web)
    try:
        for _ in range(random.randint(1, 100)):
            method = random.choice(["GET", "GET", "HEAD", "POST", "PUT", "DELETE"])
            size = random.randint(1, 3000) if method in ("POST", "PUT") else 0
            request = Request(book, method, overlay(book), size, chunked=random.random() < 0.3)
            await connection.send(request)
            if not await connection.answer(request):
                connection.close()
            if book.stopping:
                return
    finally:
        connection.close()


async def pipeline(book, web, _):
    """Many at once, each in a context of its own; behind an answer that closes, nothing was read."""
    connection = Connection(book, web)
    try:
        await connection.open()
        requests = [
            Request(book, method, overlay(book), size=20 if method == "POST" else 0)
            for method in random.choices(["GET", "POST", "HEAD"], k=random.randint(2, 16))
        ]
        for request in requests:
            await connection.send(request)
        for position, request in enumerate(requests):
            if not await connection.answer(request):
                for unread in requests[position + 1 :]:
                    book.outcomes[unread.number] = NEVER
                return
    finally:
        connection.close()


async def large(book, web, _):
    connection = Connection(book, web)
    try:
        size = random.randint(1, 8 << 20)
        up = random.random() < 0.5
        request = Request(
            book, "PUT" if up else "GET", None, size if up else 0, chunked=random.random() < 0.5, wanted=0 if up else size)
        await connection.send(request)
        await connection.answer(request)
    finally:
        connection.close()


async def websocket(book, web, _):
    connection = Connection(book, web)
    context, begun, number = overlay(book), time.monotonic(), book.number()
    try:
        await connection.open()
        line = f"x-msx-env: {context}\r\n" if context else ""
        key = base64.b64encode(os.urandom(16)).decode()
        connection.writer.write((
            f"GET /ws HTTP/1.1\r\nhost: shop\r\nx-soak-id: {number}\r\n{line}connection: Upgrade\r\nupgrade: websocket\r\n"
            f"sec-websocket-version: 13\r\nsec-websocket-key: {key}\r\n\r\n").encode())
        head = (await connection.reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        right = book.shop.right(context, begun)
        if "x-msx-error: " in head:
            error = head.partition("x-msx-error: ")[2].partition("\r\n")[0]
            if error in ("upstream_reset", "connect_failed"):
                return book.excuse(begun)
            book.outcomes[number] = NEVER
            if error not in right:
                raise Wrong(f"a WebSocket in {context} was refused: {error}")
            return
        book.outcomes[number] = ONCE
        name = head.partition("x-soak-name: ")[2].partition("\r\n")[0]
        if name not in right:
            raise Wrong(f"a WebSocket in {context} is with {name}, right was {sorted(right)}")
        for _ in range(random.randint(1, 60)):
            payload = os.urandom(random.choice([0, 1, 125, 126, 1000, 60_000]))
            await connection_frame(connection, 2, payload)
        await connection_frame(connection, 8, b"")
    finally:
        connection.close()


async def connection_frame(connection, kind, payload):
    """One masked frame (of zeros: the mask is not what is tested), and the same back."""
    count = len(payload)
    size = bytes([count | 128]) if count < 126 else b"\xfe" + count.to_bytes(2, "big")
    connection.writer.write(bytes([128 | kind]) + size + b"\0\0\0\0" + payload)
    first, second = await connection.reader.readexactly(2)
    if second == 126:
        second = int.from_bytes(await connection.reader.readexactly(2), "big")
    back = await connection.reader.readexactly(second)
    if (first, back) != (128 | kind, payload):
        raise Wrong(f"a WebSocket gave back {len(back)} other bytes")


async def tcp(book, _, db):
    connection = Connection(book, db)
    try:
        await connection.open()
        name = await connection.reader.readuntil(b"\n")
        if name != b"base\n":
            raise Wrong(f"a TCP connection is with {name!r}")
        for _ in range(random.randint(1, 50)):
            payload = os.urandom(random.randint(1, 20_000))
            connection.writer.write(payload)
            if await connection.reader.readexactly(len(payload)) != payload:
                raise Wrong("a TCP connection gave back other bytes")
    finally:
        connection.close()


KINDS = {"keep-alive": (keep_alive, 8), "pipelined": (pipeline, 4), "large": (large, 2), "WebSocket": (websocket, 3), "TCP": (tcp, 3)}
