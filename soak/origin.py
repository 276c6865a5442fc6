"""A service's copy: says who it is, echoes, and writes down every request that it has got, where a kill cannot take it back.

    origin.py NAME HTTP-PORT TCP-PORT LEDGER

HTTP: every method; the body is digested while it comes. `x-soak-id` goes into the ledger and the answer; `x-soak-size`
asks for so many bytes, `x-soak-chunked` for chunks. `upgrade: websocket` echoes frames. TCP: one line with the name, then echo.
"""

import asyncio
import base64
import hashlib
import os
import sys
import zlib

NAME, HTTP_PORT, TCP_PORT = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
LEDGER = os.open(sys.argv[4], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
PIECE = bytes(range(256)) * 256


async def read_head(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")[:-2]
    fields = {}
    for line in lines:
        name, _, value = line.partition(":")
        fields[name.lower()] = value.strip()
    return first.split(" "), fields


async def digest_body(reader, fields):
    """Length and checksum of the body."""
    size, checksum = 0, 0
    if fields.get("transfer-encoding") == "chunked":
        while count := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            piece = await reader.readexactly(count)
            await reader.readexactly(2)
            size, checksum = size + count, zlib.crc32(piece, checksum)
        await reader.readuntil(b"\r\n")
        return size, checksum
    left = int(fields.get("content-length", 0))
    while left:
        piece = await reader.read(min(left, 65536))
        if not piece:
            raise asyncio.IncompleteReadError(b"", left)
        left -= len(piece)
        size, checksum = size + len(piece), zlib.crc32(piece, checksum)
    return size, checksum


async def answer(writer, method, fields, what, size, checksum):
    text = f"{NAME} {what} {size} {checksum}\n".encode()
    extra = int(fields.get("x-soak-size", 0))
    head = f"HTTP/1.1 200 OK\r\nx-soak-id: {what}\r\n"
    chunked = "x-soak-chunked" in fields
    head += "transfer-encoding: chunked\r\n\r\n" if chunked else f"content-length: {len(text) + extra}\r\n\r\n"
    writer.write(head.encode())
    if method == "HEAD":
        return await writer.drain()

    def put(piece):
        writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)

    put(text)
    while extra:
        piece = PIECE[: min(extra, len(PIECE))]
        put(piece)
        extra -= len(piece)
        await writer.drain()
    if chunked:
        writer.write(b"0\r\n\r\n")
    await writer.drain()


async def websocket(reader, writer, fields):
    """RFC 6455: unmasks and sends back, until a close frame comes."""
    key = fields["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
    writer.write(
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
        f"x-soak-name: {NAME}\r\nsec-websocket-accept: {accept}\r\n\r\n".encode())
    while True:
        first, second = await reader.readexactly(2)
        count = second & 127
        if count > 125:
            count = int.from_bytes(await reader.readexactly(2 if count == 126 else 8), "big")
        mask = await reader.readexactly(4)
        payload = await reader.readexactly(count)
        whole = (count + 3) // 4 * 4
        plain = int.from_bytes(payload.ljust(whole, b"\0"), "big") ^ int.from_bytes(mask * (whole // 4), "big")
        payload = plain.to_bytes(whole, "big")[:count]
        size = bytes([count]) if count < 126 else b"\x7e" + count.to_bytes(2, "big")
        writer.write(bytes([first]) + size + payload)
        await writer.drain()
        if first & 15 == 8:
            return


async def serve_http(reader, writer):
    try:
        while True:
            (method, *_), fields = await read_head(reader)
            what = fields.get("x-soak-id", "-")
            size, checksum = await digest_body(reader, fields)
            os.write(LEDGER, f"{what} {method} {NAME}\n".encode())
            if fields.get("upgrade") == "websocket":
                return await websocket(reader, writer, fields)
            await answer(writer, method, fields, what, size, checksum)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass  # the other side has gone
    finally:
        writer.close()


async def serve_tcp(reader, writer):
    try:
        writer.write(f"{NAME}\n".encode())
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
    except ConnectionError:
        pass  # the other side has gone
    finally:
        writer.close()


async def main():
    for handler, port in ((serve_http, HTTP_PORT), (serve_tcp, TCP_PORT)):
        await asyncio.start_server(handler, "127.0.0.1", port, limit=1 << 20)
    await asyncio.Event().wait()


asyncio.run(main())
