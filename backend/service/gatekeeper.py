"""Who may connect: a ZAP handler (ZeroMQ RFC 27) that knows the CURVE keys of the clients and of the worker."""

from __future__ import annotations

import logging

import zmq
from zmq.utils import z85

_log = logging.getLogger(__name__)


class Gatekeeper:
    """Answers the context's authentication requests; `socket` belongs into the poller of the I/O loop.

    Keys are let in per ZAP domain, so that a client's key does not open the worker's socket, nor the reverse.
    """

    def __init__(self, context: zmq.Context) -> None:
        self.socket: zmq.Socket = context.socket(zmq.REP)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.bind("inproc://zeromq.zap.01")
        self._keys: dict[str, set[bytes]] = {}

    def allow(self, domain: str, public_keys: set[str]) -> None:
        """Let exactly these Z85 keys into `domain`."""
        self._keys[domain] = {z85.decode(key.encode()) for key in public_keys}

    def handle(self) -> None:
        """Answer one request that waits on `socket`."""
        version, request, domain_bytes, address, _, mechanism, *credentials = self.socket.recv_multipart()
        domain = domain_bytes.decode("utf-8", "replace")
        known = mechanism == b"CURVE" and len(credentials) == 1 and credentials[0] in self._keys.get(domain, set())
        if not known:
            _log.warning("Refused a connection from %s with an unknown key.", address.decode("utf-8", "replace"))
        status = (b"200", b"OK") if known else (b"400", b"Unknown key")
        self.socket.send_multipart([version, request, *status, b"", b""])

    def close(self) -> None:
        self.socket.close()
