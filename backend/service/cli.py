"""`relightify serve`: start the backend, write its connection file, serve until told to stop."""

from __future__ import annotations

import argparse
import errno
import importlib.metadata
import ipaddress
import logging
import os
import signal
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path

import zmq

from backend.device import DEVICES
from backend.service.client import Client
from backend.service.keys import kept_keys, new_keys
from backend.service.listening import ServerSettings
from backend.service.logs import claim_logs, log_name, log_path, log_to_file, remove_old_logs, stop_logging
from backend.service.server import Server
from backend.service.worker_process import WorkerSettings
from shared.connection import (
    Connection,
    default_connection_path,
    read_connection,
    remove_connection,
    write_connection,
)
from shared.errors import RelightifyError
from shared.private_files import Claim
from shared.processes import process_alive

if sys.platform != "win32":
    import resource

_log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
WILDCARDS = ("0.0.0.0", "::", "*")
OPEN_FILES = 16384


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
    parser.add_argument("--device", choices=DEVICES, default="auto", help="default: %(default)s")
    parser.add_argument(
        "--parent-pid", type=process_number, default=0, metavar="PID", help="end when this process has ended"
    )
    parser.add_argument(
        "--idle-exit",
        type=seconds,
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


def process_number(text: str) -> int:
    """The number of a process, or 0; for argparse."""
    number = int(text)
    if not 0 <= number < 2**31:
        raise ValueError
    return number


def seconds(text: str) -> float:
    """A time that can be waited for, or 0; for argparse."""
    number = float(text)
    if not 0 <= number <= 1e9:  # no number (nan) is not, either
        raise ValueError
    return number


def run(args: argparse.Namespace) -> int:
    """Serve; prints one line with the connection file's path when clients may come.

    Raises:
        RelightifyError: `already_running`, `cannot_listen`, `connection_file`, `bad_keys`.
    """
    path: Path = args.connection_file or default_connection_path()
    name = log_name(path)
    held = [_claim(path), claim_logs(name)]
    try:
        return _run(args, path, name)
    finally:
        for claim in held:
            claim.release()


def _run(args: argparse.Namespace, path: Path, name: str) -> int:
    settings = ServerSettings(
        listen=args.listen,
        port=args.port,
        worker=WorkerSettings(args.pipeline, args.device, name),
        parent_pid=args.parent_pid,
        idle_exit=args.idle_exit,
    )
    allow_many_connections()
    remove_old_logs()
    handler = log_to_file(log_path(name, "server"))
    try:
        _refuse_second_server(path)
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


def is_loopback(listen: str) -> bool:
    """Whether an address to listen on can be reached from this machine alone."""
    try:
        return ipaddress.ip_address(listen).is_loopback
    except ValueError:  # a name, or the wildcard
        return listen == "localhost"


def listen_warning(listen: str, port: int, path: Path) -> str:
    """What `--listen` opens, and to whom."""
    where = "all addresses of this machine" if listen in WILDCARDS else listen
    return (
        f"port {port} on {where} can be reached by every machine that a firewall does not keep away. The line is "
        f"encrypted, and only who has the keys in {path} is let in; who has them can use this machine's processor, "
        "memory and graphics card, and end the backend. Give that file to nobody else, and use a firewall or a VPN "
        "where others are on the network."
    )


def allow_many_connections() -> None:
    """Raise this process's limit of open files, so that connections that say nothing do not keep others out."""
    if sys.platform != "win32":
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _serve(server: Server, connection: Connection, path: Path) -> None:
    for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK"):
        number = getattr(signal, name, None)  # not every system has them all
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:  # nohup ignores SIGHUP
            signal.signal(number, lambda *_: server.stop())
    try:
        write_connection(connection, path)
        _log.info("Listening on %s, connection file %s.", connection.endpoint, path)
        print(f"Relightify is ready: {path}", flush=True)
        if not is_loopback(server.settings.listen):
            warning = listen_warning(server.settings.listen, server.port, path)
            _log.warning("%s", warning)
            print(f"Warning: {warning}", file=sys.stderr, flush=True)
        server.run()
    finally:
        server.close()
        remove_connection(connection, path)
        _log.info("Ended.")


def _claim(path: Path) -> Claim:
    """Two servers must not write one connection file: the first of them has the claim to it until it ends.

    Raises:
        RelightifyError: `already_running`; `connection_file`, nothing can be written there.
    """
    claim = Claim(path.with_name(f".{path.name}.lock"))
    try:
        if claim.take():
            return claim
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS):
            raise RelightifyError(
                "connection_file",
                f"The connection file {path} cannot be written: {error.strerror}.",
                "Choose another place with --connection-file.",
            ) from error
        _log.warning("The disk of %s knows no locks; a second backend is only looked for.", path)
        return claim
    raise _already_running(path, _running_process(path))


def _running_process(path: Path) -> int:
    """The process that a connection file names; 0 where there is none yet."""
    try:
        return read_connection(path).pid
    except RelightifyError:
        return 0


def _already_running(path: Path, pid: int) -> RelightifyError:
    who = f"process {pid}" if pid else "it is just starting"
    return RelightifyError(
        "already_running",
        f"A backend is running already ({who}).",
        f"Use it through {path}, end it, or choose another file with --connection-file.",
    )


def _refuse_second_server(path: Path) -> None:
    """Look for a server whose claim cannot be seen from here: on another machine, or on a disk without locks.

    Raises:
        RelightifyError: `already_running`.
    """
    try:
        old = read_connection(path)
    except RelightifyError as error:
        if error.code != "no_connection_file":
            _log.warning("%s It is of no use to anybody, and is replaced.", error.message)
        return
    if old.pid == os.getpid() or not process_alive(old.pid):
        return
    try:
        with Client(old, "relightify serve", lost_after=2.0):
            pass
    except (RelightifyError, zmq.ZMQError) as error:  # the number belongs to another process by now
        _log.warning("Nobody answers at the address in the connection file %s (%s); it is replaced.", path, error)
        return
    raise _already_running(path, old.pid)


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
