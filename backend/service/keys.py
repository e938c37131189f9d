"""The CURVE keys of a server, new at each start or kept in a file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import zmq

from shared.errors import RelightifyError
from shared.private_files import read_private, write_private


@dataclass(frozen=True)
class ServerKeys:
    """The server's own pair, and the pair that it lets in; Z85 texts of 40 characters."""

    server_public: str
    server_secret: str = field(repr=False)
    client_public: str
    client_secret: str = field(repr=False)


def new_keys() -> ServerKeys:
    """Keys that nobody has."""
    return ServerKeys(*(key.decode() for key in (*zmq.curve_keypair(), *zmq.curve_keypair())))


def kept_keys(path: Path) -> ServerKeys:
    """The keys in a file; where there is none, new ones that are written there (mode 0600).

    Raises:
        RelightifyError: `connection_exposed`, others can read the file; `bad_keys`, it cannot be used.
    """
    try:
        if not path.exists():
            write_private(path, json.dumps(asdict(new_keys()), indent=1))
        content = json.loads(read_private(path))
        keys = ServerKeys(**{item.name: content[item.name] for item in fields(ServerKeys)})
        fits = all(zmq.curve_public(secret.encode()).decode() == public for public, secret in _pairs(keys))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _unusable(path) from error
    if not fits:
        raise _unusable(path)
    return keys


def _pairs(keys: ServerKeys) -> tuple[tuple[str, str], ...]:
    return (keys.server_public, keys.server_secret), (keys.client_public, keys.client_secret)


def _unusable(path: Path) -> RelightifyError:
    return RelightifyError(
        "bad_keys",
        f"The file {path} does not hold keys, or cannot be used.",
        "Remove it; new keys are made, and clients need the new connection file.",
    )
