"""Where a server listens, for how long it waits for what, and the socket that clients reach it by."""

from __future__ import annotations

from dataclasses import dataclass, field

import zmq

from backend.service.keys import ServerKeys
from backend.service.worker_process import WorkerSettings
from shared.errors import RelightifyError
from shared.messages import MAX_PHOTO_BYTES
from shared.protocol import MAX_HEADER_BYTES

CLIENT_DOMAIN = "clients"
HANDSHAKE_MS = 4000


@dataclass(frozen=True)
class ServerSettings:
    """How a server behaves; times are seconds.

    Args:
        listen: address to bind, loopback by default.
        port: TCP port; 0 takes a free one.
        worker: what the worker runs.
        parent_pid: process to end with; 0 for none.
        idle_exit: end after this long without clients and jobs; 0 for never.
        client_silent: a client that has sent nothing for this long is lost.
        client_unreachable: a client whose line is broken for this long is lost.
        cancel_reply: a cancelled job counts as cancelled after this long, whether or not the worker has reacted.
        cancel_kill: the worker is killed when it has not reacted to a cancel for this long.
        worker_start: a worker that is not ready after this long is killed; a first start may have to download a model,
            which gives up by itself after about two minutes.
        tick: how often clocks, processes and parents are looked at.
        max_photo_bytes: a request whose photos have more is refused.
    """

    listen: str = "127.0.0.1"
    port: int = 0
    worker: WorkerSettings = field(default_factory=WorkerSettings)
    parent_pid: int = 0
    idle_exit: float = 0.0
    client_silent: float = 30.0
    client_unreachable: float = 5.0
    cancel_reply: float = 0.7
    cancel_kill: float = 10.0
    worker_start: float = 300.0
    tick: float = 0.2
    max_photo_bytes: int = MAX_PHOTO_BYTES


def listening_socket(context: zmq.Context, settings: ServerSettings, keys: ServerKeys) -> zmq.Socket:
    """A bound socket that lets in who knows the server's key, once the gatekeeper of `CLIENT_DOMAIN` agrees.

    Raises:
        RelightifyError: ``cannot_listen``.
    """
    socket: zmq.Socket = context.socket(zmq.ROUTER)
    socket.setsockopt(zmq.LINGER, 500)
    socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
    socket.setsockopt(zmq.SNDHWM, 100)
    # Who connects and says nothing holds one of the process's descriptors for so long.
    socket.setsockopt(zmq.HANDSHAKE_IVL, HANDSHAKE_MS)
    socket.setsockopt(zmq.BACKLOG, 512)
    socket.setsockopt(zmq.ROUTER_HANDOVER, 1)  # a client that comes back takes its place again
    socket.setsockopt(zmq.MAXMSGSIZE, settings.max_photo_bytes + MAX_HEADER_BYTES)
    socket.setsockopt(zmq.IPV6, int(":" in settings.listen))
    socket.setsockopt(zmq.ZAP_DOMAIN, CLIENT_DOMAIN.encode())
    socket.curve_server = True
    socket.curve_publickey = keys.server_public.encode()
    socket.curve_secretkey = keys.server_secret.encode()
    host = f"[{settings.listen}]" if ":" in settings.listen else settings.listen
    try:
        socket.bind(f"tcp://{host}:{settings.port or '*'}")
    except zmq.ZMQError as error:
        socket.close()
        raise RelightifyError(
            "cannot_listen",
            f"The backend cannot listen on {settings.listen}, port {settings.port}: {error.strerror}.",
            "Choose another --listen address or --port.",
        ) from error
    return socket
