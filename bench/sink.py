"""An origin for large bodies: reads a request's body to its end before it answers; `GET /body` sends so many zero bytes.

sink.py PORT BYTES
"""

import re
import socket
import sys
import threading

CHUNK = 1 << 20


def serve(client, size):
    head, zeros, space = b"", bytes(CHUNK), bytearray(CHUNK)
    with client:
        while True:
            while b"\r\n\r\n" not in head:
                part = client.recv(65536)
                if not part:
                    return
                head += part
            head, _, rest = head.partition(b"\r\n\r\n")
            length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
            left = int(length.group(1)) - len(rest) if length else 0
            while left > 0:
                count = client.recv_into(space, min(CHUNK, left))
                if count == 0:
                    return
                left -= count
            if head.startswith(b"GET /body "):
                client.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size)
                for _ in range(size // CHUNK):
                    client.sendall(zeros)
            else:
                client.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nA")
            head = b""


def main():
    port, size = int(sys.argv[1]), int(sys.argv[2])
    with socket.create_server(("127.0.0.1", port), backlog=128) as server:
        while True:
            client, _ = server.accept()
            threading.Thread(target=serve, args=(client, size), daemon=True).start()


main()
