"""Messages between workers, over a connection. Needs no TensorFlow."""

from __future__ import annotations

import socket
import struct

MARK, LOST = b"btf1", b"lost"  # begin a message; the second says who is gone
HEAD = struct.Struct(">4sI")
LONGEST_BYTES = 1 << 20


def send(link: socket.socket, message: bytes, *, mark: bytes = MARK) -> None:
    """Sends one. Raises: OSError."""
    link.sendall(HEAD.pack(mark, len(message)) + message)


def receive(link: socket.socket) -> tuple[bytes, bytes]:
    """A message's mark and the message. Raises: ConnectionError if there is none to come; TimeoutError."""
    mark, length = HEAD.unpack(_exactly(link, HEAD.size))
    if mark not in (MARK, LOST) or length > LONGEST_BYTES:
        raise ConnectionError("not a worker's message")
    return mark, _exactly(link, length)


def _exactly(link: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        part = link.recv(count - len(found))
        if not part:
            raise ConnectionResetError("ended")
        found += part
    return found


def keep_alive(link: socket.socket) -> None:
    """Has the system ask, every now and then, whether a machine that says nothing is still there."""
    link.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for name, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 6)):
        if hasattr(socket, name):  # macOS has not all of them
            link.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
