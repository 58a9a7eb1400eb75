"""The listening socket, as parent and children share it."""

from __future__ import annotations

import os
import socket
from typing import Final

# Webhooks that wait here while a process is replaced are answered by the next.
BACKLOG: Final = 4096


class CannotListen(Exception):
    """The address cannot be bound; the text says so in one line."""


def listen(host: str, port: int) -> socket.socket:
    """The socket that parent and children share. Raises CannotListen."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        listening = socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as fault:
        why = os.strerror(fault.errno) if fault.errno and fault.errno > 0 else str(fault)
        raise CannotListen(
            f"cannot listen on {host} port {port}: {why.lower()}; free it or choose another port"
        ) from None
    # Children accept without blocking, and so must a socket that they share.
    listening.setblocking(False)
    return listening
