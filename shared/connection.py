"""The connection file: where the backend listens, and the CURVE keys that open its door."""

from __future__ import annotations

import json
import os
import secrets
import struct
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import zmq
from zmq.utils import z85

from .errors import RelightifyError
from .messages import MAX_NAME, Buffer, Message, Side
from .paths import cache_folder
from .private_files import read_private, write_private
from .protocol import PROTOCOL_VERSION, decode, encode, version_mismatch

RESTART_HINT = "Start the backend again; it writes a new connection file."


@dataclass(frozen=True)
class Connection:
    """How to reach one backend.

    Args:
        host: name or address of the machine.
        port: TCP port.
        server_public_key: CURVE key, Z85, 40 characters.
        client_public_key, client_secret_key: the pair that the server lets in.
        pid: process id of the server on its machine.
        created: UTC time, ISO 8601.
        protocol: the server's protocol version.
    """

    host: str
    port: int
    server_public_key: str
    client_public_key: str
    client_secret_key: str = field(repr=False)
    pid: int
    created: str
    protocol: int = PROTOCOL_VERSION

    @property
    def endpoint(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"tcp://{host}:{self.port}"


def default_connection_path() -> Path:
    """Where `relightify serve` and the add-on look unless told otherwise; its folder is the owner's alone.

    Raises:
        RelightifyError: `cache_unwritable`.
    """
    folder = cache_folder("runtime")
    if os.name != "posix":
        return folder / "connection.json"
    try:
        status = folder.stat()
        if status.st_uid != os.getuid():
            raise RelightifyError(
                "cache_unwritable",
                f"The folder {folder} belongs to somebody else.",
                "Remove it, or set RELIGHTIFY_CACHE to a folder of your own.",
            )
        if status.st_mode & 0o777 != 0o700:
            folder.chmod(0o700)
    except OSError as error:
        raise RelightifyError(
            "cache_unwritable",
            f"The folder {folder} cannot be made yours alone: {error.strerror}.",
            "Make it writable, or set RELIGHTIFY_CACHE to another folder.",
        ) from error
    return folder / "connection.json"


def write_connection(connection: Connection, path: Path) -> None:
    """Write the file at once as a whole, readable by its owner alone; makes its folder (0700) if need be.

    Raises:
        RelightifyError: `connection_file`, it cannot be written.
    """
    try:
        write_private(path, json.dumps(asdict(connection), indent=1))
    except OSError as error:
        raise RelightifyError(
            "connection_file",
            f"The connection file {path} cannot be written: {error.strerror}.",
            "Choose another place with --connection-file.",
        ) from error


def read_connection(path: Path) -> Connection:
    """Read a connection file.

    Raises:
        RelightifyError: `no_connection_file`, there is none; `connection_exposed`, see `read_private`;
            `connection_file`, it is damaged; `version_mismatch`.
    """
    try:
        text = read_private(path)
    except FileNotFoundError as error:
        raise RelightifyError(
            "no_connection_file",
            f"No backend is running: there is no connection file {path}.",
            "Start it from Blender's preferences or with: relightify serve",
        ) from error
    except OSError as error:
        raise RelightifyError(
            "connection_file", f"The connection file {path} cannot be read: {error.strerror}.", RESTART_HINT
        ) from error
    return _parse(text, path)


def _parse(text: bytes, path: Path) -> Connection:
    try:
        content: Any = json.loads(text)
        version = content["protocol"]
        if type(version) is int and version != PROTOCOL_VERSION:
            raise version_mismatch(version, "server")
        connection = Connection(**content)
        keys = (connection.server_public_key, connection.client_public_key, connection.client_secret_key)
        right = type(version) is int and all(isinstance(key, str) and len(key) == 40 for key in keys)
        right = right and isinstance(connection.host, str) and type(connection.pid) is int
        right = right and len(connection.host) <= MAX_NAME and 0 <= connection.pid < 2**32
        if not right or type(connection.port) is not int or not 0 < connection.port < 65536:
            raise ValueError("values are missing or wrong")
        for key in keys:
            z85.decode(key.encode())
    except (ValueError, TypeError, KeyError, RecursionError, struct.error) as error:
        raise RelightifyError("connection_file", f"The connection file {path} is damaged.", RESTART_HINT) from error
    return connection


def remove_connection(connection: Connection, path: Path) -> None:
    """Remove the file if it still is this server's."""
    try:
        current = read_connection(path)
    except RelightifyError:  # gone, or no longer in a form that this server wrote: not ours to remove
        return
    if current == connection:
        path.unlink(missing_ok=True)


def client_socket(context: zmq.Context, connection: Connection) -> zmq.Socket:
    """A DEALER socket with the keys of `connection`, ready for `connect(connection.endpoint)`.

    It has an identity of its own, so that the server knows it again after a broken line.
    """
    socket: zmq.Socket = context.socket(zmq.DEALER)
    socket.setsockopt(zmq.LINGER, 500)
    socket.setsockopt(zmq.IDENTITY, b"c" + secrets.token_bytes(16))
    socket.setsockopt(zmq.IPV6, 1)
    socket.setsockopt(zmq.RECONNECT_IVL, 200)
    socket.setsockopt(zmq.RECONNECT_IVL_MAX, 2000)
    socket.curve_serverkey = connection.server_public_key.encode()
    socket.curve_publickey = connection.client_public_key.encode()
    socket.curve_secretkey = connection.client_secret_key.encode()
    return socket


def send_frames(socket: zmq.Socket, frames: Sequence[Buffer]) -> None:
    """Send a multipart message without waiting, whole or, where memory runs out in the middle, as a malformed one.

    ZeroMQ joins parts as they come: a message that was left half-sent would swallow the next one.

    Args:
        socket: of any type.
        frames: large ones are not copied, and must not be changed afterwards.

    Raises:
        zmq.Again: the queue is full; nothing was sent.
        zmq.ZMQError, MemoryError: nothing was sent, or the message was ended early, so that nobody can read it.
    """
    # What takes memory comes first, while nothing has been sent.
    parts = [zmq.Frame(frame, track=False) for frame in frames]
    sent = 0
    try:
        for part in parts:
            more = zmq.SNDMORE if sent + 1 < len(parts) else 0
            socket.send(part, flags=zmq.NOBLOCK | more, copy=False)
            sent += 1
    except BaseException:
        if sent:
            with suppress(zmq.ZMQError):
                socket.send(b"", flags=zmq.NOBLOCK)
        raise


def send(socket: zmq.Socket, message: Message) -> None:
    """Send without copying the raw frames; they must not be changed afterwards.

    Raises:
        ProtocolError: the message cannot be encoded.
        zmq.Again: the socket's queue is full.
    """
    send_frames(socket, encode(message))


def receive(socket: zmq.Socket, sender: Side) -> Message:
    """Receive one message without copying the raw frames.

    Raises:
        ProtocolError: the message is malformed.
        zmq.Again: there is none.
    """
    frames = socket.recv_multipart(flags=zmq.NOBLOCK, copy=False)
    return decode([frame.buffer for frame in frames], sender)
