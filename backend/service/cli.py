"""`relightify serve`: start the backend, write its connection file, serve until told to stop."""

from __future__ import annotations

import argparse
import importlib.metadata
import logging
import os
import signal
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path

from backend.service.client import Client
from backend.service.keys import kept_keys, new_keys
from backend.service.logs import log_name, log_path, log_to_file, remove_old_logs, stop_logging
from backend.service.server import Server, ServerSettings
from backend.service.worker_process import WorkerSettings
from shared.connection import (
    Connection,
    default_connection_path,
    read_connection,
    remove_connection,
    write_connection,
)
from shared.errors import RelightifyError
from shared.processes import process_alive

_log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
WILDCARDS = ("0.0.0.0", "::", "*")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `relightify serve`."""
    parser.add_argument(
        "--listen",
        nargs="?",
        default=LOOPBACK,
        const="0.0.0.0",
        metavar="ADDR",
        help="listen to other machines, on this address or on all (default: this machine only)",
    )
    parser.add_argument("--port", type=port_number, default=0, help="TCP port (default: a free one)")
    parser.add_argument(
        "--connection-file",
        type=Path,
        metavar="PATH",
        help="where to write address and keys for clients (default: in the cache folder)",
    )
    parser.add_argument(
        "--keys",
        type=Path,
        metavar="PATH",
        help="keep the keys in this file, so that copies of the connection file on other machines stay valid "
        "after a restart on the same --port (default: new keys at each start)",
    )
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="default: %(default)s")
    parser.add_argument("--parent-pid", type=int, default=0, metavar="PID", help="end when this process has ended")
    parser.add_argument(
        "--idle-exit",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="end after this long without clients and jobs (default: never)",
    )
    parser.add_argument("--pipeline", default=WorkerSettings.factory, help=argparse.SUPPRESS)


def port_number(text: str) -> int:
    """A TCP port, or 0; for argparse."""
    port = int(text)
    if not 0 <= port < 65536:  # ZeroMQ would take a larger one modulo 65536
        raise ValueError
    return port


def run(args: argparse.Namespace) -> int:
    """Serve; prints one line with the connection file's path when clients may come.

    Raises:
        RelightifyError: `already_running`, `cannot_listen`, `connection_file`, `bad_keys`.
    """
    path: Path = args.connection_file or default_connection_path()
    _refuse_second_server(path)
    settings = ServerSettings(
        listen=args.listen,
        port=args.port,
        worker=WorkerSettings(args.pipeline, args.device, log_name(path)),
        parent_pid=args.parent_pid,
        idle_exit=args.idle_exit,
    )
    remove_old_logs()
    handler = log_to_file(log_path(log_name(path), "server"))
    try:
        keys = kept_keys(args.keys) if args.keys else new_keys()
        server = Server(settings, keys, f"relightify {version()}")
        connection = Connection(
            host=reachable_host(args.listen),
            port=server.port,
            server_public_key=keys.server_public,
            client_public_key=keys.client_public,
            client_secret_key=keys.client_secret,
            pid=os.getpid(),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        _serve(server, connection, path)
    except RelightifyError as error:
        _log.info("Ended by an error that the terminal shows: %s", error)
        raise
    except Exception:
        _log.exception("The server failed")
        raise
    finally:
        stop_logging(handler)
    return 0


def version() -> str:
    """The installed version of Relightify."""
    try:
        return importlib.metadata.version("relightify")
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"


def reachable_host(listen: str) -> str:
    """The address for the connection file; for "all addresses", the one by which this machine reaches others."""
    if listen not in WILDCARDS:
        return listen
    family, anywhere = (socket.AF_INET6, "2001:db8::1") if listen == "::" else (socket.AF_INET, "192.0.2.1")
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((anywhere, 9))  # UDP: chooses a route, sends nothing
            return probe.getsockname()[0]
        except OSError:  # no route anywhere
            return socket.gethostname()


def _serve(server: Server, connection: Connection, path: Path) -> None:
    for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK"):
        number = getattr(signal, name, None)  # not every system has them all
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:  # nohup ignores SIGHUP
            signal.signal(number, lambda *_: server.stop())
    try:
        write_connection(connection, path)
        _log.info("Listening on %s, connection file %s.", connection.endpoint, path)
        print(f"Relightify is ready: {path}", flush=True)
        server.run()
    finally:
        server.close()
        remove_connection(connection, path)
        _log.info("Ended.")


def _refuse_second_server(path: Path) -> None:
    """Two servers must not write one connection file.

    Raises:
        RelightifyError: `already_running`.
    """
    try:
        old = read_connection(path)
    except RelightifyError:  # none, or one that no client could use
        return
    if old.pid == os.getpid() or not process_alive(old.pid):
        return
    try:
        with Client(old, "relightify serve", lost_after=2.0):
            pass
    except RelightifyError:  # the number belongs to another process by now
        return
    raise RelightifyError(
        "already_running",
        f"A backend is running already (process {old.pid}).",
        f"Use it through {path}, end it, or choose another file with --connection-file.",
    )


def main() -> int:
    """`python -m backend.service.cli`: what `relightify serve` does, for where the command is not installed."""
    parser = argparse.ArgumentParser(prog="relightify serve", description=__doc__)
    add_arguments(parser)
    try:
        return run(parser.parse_args())
    except RelightifyError as error:
        print(f"{error.code}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
