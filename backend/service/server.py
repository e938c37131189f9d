"""The server: one I/O loop that never waits for anything but messages; the work is done by a process of its own."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import zmq

from backend.service.clients import Clients
from backend.service.gatekeeper import Gatekeeper
from backend.service.jobs import JobQueue, QueuedJob
from backend.service.keys import ServerKeys
from backend.service.listening import CLIENT_DOMAIN, ServerSettings, listening_socket
from backend.service.logs import log_path, printable
from backend.service.worker_process import WorkerProcess
from shared.errors import JobCancelled, RelightifyError
from shared.messages import (
    Buffer,
    Cancel,
    Error,
    Goodbye,
    Hello,
    JobProgress,
    Message,
    Outcome,
    Ping,
    Pong,
    ProtocolError,
    Queued,
    Refit,
    Request,
    Shutdown,
    Welcome,
)
from shared.processes import WatchedProcess
from shared.protocol import decode, encode

_log = logging.getLogger(__name__)

# Answers to one ping, so that it takes the loop a few milliseconds.
LOST_AT_ONCE = 64
MAX_CLIENT_NAME = 200


@dataclass
class _Running:
    """The worker's job.

    Args:
        told: the client has its last message of this job; what the worker still sends is dropped.
        cancelled_at: when it was cancelled, or None.
    """

    job: QueuedJob
    told: bool = False
    cancelled_at: float | None = None


class Server:
    """Binds when made; `run` serves until a client, `stop`, the parent's end or idleness ends it.

    Args:
        settings: see `ServerSettings`.
        keys: the server's own pair, and the one that it lets in.
        version: name and version that clients are told.

    Raises:
        RelightifyError: `cannot_listen`, the address or port cannot be bound.
    """

    def __init__(self, settings: ServerSettings, keys: ServerKeys, version: str) -> None:
        self.settings = settings
        self._stopping = False
        self._context = zmq.Context()
        self._gatekeeper = Gatekeeper(self._context)
        self._gatekeeper.allow(CLIENT_DOMAIN, {keys.client_public})
        try:
            self._socket = listening_socket(self._context, settings, keys)
        except RelightifyError:
            self._gatekeeper.close()
            self._context.term()
            raise
        self._poller = zmq.Poller()
        self._poller.register(self._gatekeeper.socket, zmq.POLLIN)
        self._poller.register(self._socket, zmq.POLLIN)
        self._clients = Clients(self._socket)
        self._queue = JobQueue()
        self._running: _Running | None = None
        self._worker: WorkerProcess | None = None
        self._welcome = Welcome(version, "stopped", max_photo_bytes=settings.max_photo_bytes)
        self._parent = WatchedProcess(settings.parent_pid) if settings.parent_pid else None
        self._busy_at = time.monotonic()

    @property
    def port(self) -> int:
        endpoint = self._socket.getsockopt(zmq.LAST_ENDPOINT)
        assert isinstance(endpoint, bytes)
        return int(endpoint.rstrip(b"\0").decode().rpartition(":")[2])

    def stop(self) -> None:
        """Make `run` return soon; may be called from a signal handler or another thread."""
        self._stopping = True

    def run(self) -> None:
        """Serve until told to stop; then end the worker and close everything."""
        try:
            self._start_worker()
            while not self._stopping:
                ready = dict(self._poller.poll(round(self.settings.tick * 1000)))
                if self._gatekeeper.socket in ready:
                    self._gatekeeper.handle()
                if self._worker is not None and self._worker.socket in ready:
                    self._take_from_worker()
                if self._socket in ready:
                    self._take_from_client()
                self._look_at_worker()
                self._look_at_clients()
                self._start_next_job()
                self._look_whether_to_stop()
        finally:
            self.close()

    # --- clients ------------------------------------------------------------------------------------------------

    def _take_from_client(self) -> None:
        identity, *parts = self._socket.recv_multipart(copy=False)
        client_id, frames = identity.bytes, [part.buffer for part in parts]
        try:
            message = decode(frames, "client")
            if not self._clients.hear(client_id) and not isinstance(message, Hello):
                raise ProtocolError(
                    "The backend does not know this client, or has given it up after a long silence.",
                    "unknown_client",
                    "Start the job again.",
                )
            self._answer(client_id, message, frames)
        except ProtocolError as error:
            _log.warning("Client %s: %s", self._clients.name(client_id), printable(str(error)))
            self._clients.reply(client_id, Error.of(error))
        except Exception:
            # One message must never end everybody's jobs.
            _log.exception("A message of client %s cannot be handled", self._clients.name(client_id))
            log = log_path(self.settings.worker.log_name, "server")
            wrong = Error(
                "internal", "Something went wrong inside the backend.", f"Please report it with the log {log}"
            )
            self._clients.reply(client_id, wrong)

    def _answer(self, client_id: bytes, message: Message, frames: Sequence[Buffer]) -> None:
        if isinstance(message, Ping):
            self._clients.send(client_id, Pong(self._welcome.worker))
            self._look_for_lost_jobs(client_id, message.jobs)
        elif isinstance(message, Hello):
            _log.info("Client %s says hello.", printable(message.client)[:MAX_CLIENT_NAME])
            self._clients.greet(client_id, printable(message.client)[:MAX_CLIENT_NAME])
            self._clients.send(client_id, self._welcome)
        elif isinstance(message, Request):
            self._take_job(QueuedJob(client_id, message.job_id, frames, isinstance(message, Refit)))
        elif isinstance(message, Cancel):
            self._cancel(client_id, message.job_id)
        elif isinstance(message, Goodbye):
            self._forget(client_id, "left")
        elif isinstance(message, Shutdown):
            _log.info("Client %s asks for the end.", self._clients.name(client_id))
            self.stop()

    def _look_for_lost_jobs(self, client_id: bytes, open_jobs: tuple[str, ...]) -> None:
        """Tell the client of jobs that never arrived here: messages keep their order, so a ping cannot overtake one."""
        known = {job.job_id for job in self._jobs() if job.client == client_id}
        unknown = [job_id for job_id in self._clients.acknowledge(client_id, open_jobs) if job_id not in known]
        lost = RelightifyError("job_lost", "The job got lost on the way to the backend.", "Start it again.")
        for job_id in unknown[:LOST_AT_ONCE]:  # the next ping names the others again
            self._clients.send_outcome(client_id, Error.of(lost, job_id))

    def _jobs(self) -> list[QueuedJob]:
        """All jobs whose clients still wait, the running one first."""
        return [*([self._running.job] if self._running and not self._running.told else []), *self._queue]

    def _take_job(self, job: QueuedJob) -> None:
        if job in self._jobs():
            raise ProtocolError(f"There is a job {job.job_id} already.")
        before = list(self._queue)
        for older in self._queue.outdated(job):
            self._queue.remove(older.client, older.job_id)
            self._clients.send_outcome(older.client, Error.of(JobCancelled(), older.job_id))
        try:
            self._queue.add(job)
        except ProtocolError as error:
            self._clients.send_outcome(job.client, Error.of(error, job.job_id))
            return
        _log.log(_importance(job), "Job %s waits, %.1f MB.", job.job_id, job.nbytes / 2**20)
        if self._worker is None:
            self._start_worker()
        self._tell_places(before)

    def _cancel(self, client_id: bytes, job_id: str) -> None:
        if self._queue.remove(client_id, job_id):
            self._clients.send_outcome(client_id, Error.of(JobCancelled(), job_id))
            self._tell_places()
        elif self._running is not None and (self._running.job.client, self._running.job.job_id) == (client_id, job_id):
            self._stop_running_job()

    def _stop_running_job(self) -> None:
        assert self._running is not None
        if self._running.cancelled_at is not None:
            return
        self._running.cancelled_at = time.monotonic()
        _log.info("Cancelling job %s.", self._running.job.job_id)
        if self._worker is not None:
            self._worker.send(encode(Cancel(self._running.job.job_id)))

    def _forget(self, client_id: bytes, why: str) -> None:
        dropped = self._queue.remove(client_id)
        _log.info("Client %s %s; %d waiting jobs dropped.", self._clients.name(client_id), why, len(dropped))
        self._clients.forget(client_id)
        if self._running is not None and self._running.job.client == client_id:
            self._running.told = True
            self._stop_running_job()
        if dropped:
            self._tell_places()

    def _look_at_clients(self) -> None:
        pong = Pong(self._welcome.worker)
        for client_id in self._clients.lost(self.settings.client_silent, self.settings.client_unreachable, pong):
            self._forget(client_id, "is lost")

    def _tell_places(self, told: Sequence[QueuedJob] = ()) -> None:
        """Tell all jobs how many are ahead of them, but for those that stand where they stood in the list `told`."""
        ahead = 0 if self._running is None else 1
        for place, job in enumerate(self._queue):
            if told[place : place + 1] != [job]:
                self._clients.send(job.client, Queued(job.job_id, place + ahead, self._welcome.worker))

    def _tell_state(self, state: str) -> None:
        """Tell every client what the worker does, when that changed."""
        self._set_welcome(replace(self._welcome, worker=state))

    def _set_welcome(self, welcome: Welcome) -> None:
        if welcome != self._welcome:
            self._welcome = welcome
            self._clients.send_all(welcome)

    # --- worker -------------------------------------------------------------------------------------------------

    def _start_worker(self) -> None:
        try:
            self._worker = WorkerProcess(self._context, self._gatekeeper, self.settings.worker)
        except RelightifyError as error:
            self._fail_start(error)
            return
        self._poller.register(self._worker.socket, zmq.POLLIN)
        self._tell_state("warming_up")

    def _stop_worker(self) -> None:
        if self._worker is not None:
            self._poller.unregister(self._worker.socket)
            self._worker.stop()
            self._worker = None

    def _take_from_worker(self) -> None:
        """Take one message; what cannot be one of a worker in its right mind ends that worker."""
        assert self._worker is not None
        try:
            frames = [part.buffer for part in self._worker.socket.recv_multipart(copy=False)]
            message = decode(frames, "server")
            self._check_belongs(message)
        except (ProtocolError, zmq.ZMQError, MemoryError) as error:
            _log.error("Worker %d sent nonsense and is ended: %s", self._worker.process.pid, error)
            self._bury_worker(self._worker, _out_of_its_mind())
            return
        if isinstance(message, Welcome):
            self._worker.ready = True
            _log.info("Worker %d is ready on %s.", self._worker.process.pid, message.device)
            own = self._welcome
            self._set_welcome(replace(message, server=own.server, max_photo_bytes=own.max_photo_bytes))
        elif isinstance(message, Error) and message.job_id is None:
            self._fail_start(message.exception())
        elif isinstance(message, JobProgress) and self._running is not None:
            # After a cancel only the end counts: progress on its way would look as if nothing had happened.
            if self._running.cancelled_at is None:
                self._clients.send(self._running.job.client, message, frames)
        elif isinstance(message, Outcome | Error) and self._running is not None:
            running, self._running = self._running, None
            outcome = message.code if isinstance(message, Error) else "done"
            _log.log(_importance(running.job), "Job %s ended: %s.", running.job.job_id, outcome)
            self._tell_state("ready")
            if running.cancelled_at is None:
                self._clients.send_outcome(running.job.client, message, frames)
            else:
                self._tell_cancelled(running)

    def _check_belongs(self, message: Message) -> None:
        """A worker says that it is ready, or that it cannot start, before its first job, and then speaks of its job.

        Raises:
            ProtocolError: it does anything else.
        """
        assert self._worker is not None
        job_id = getattr(message, "job_id", None)
        if isinstance(message, Welcome) or (isinstance(message, Error) and job_id is None):
            right = not self._worker.ready
        else:
            right = isinstance(message, JobProgress | Outcome | Error) and self._running is not None
            right = right and self._running is not None and job_id == self._running.job.job_id
        if not right:
            raise ProtocolError(f"A {type(message).__name__} of job {job_id} came out of turn.")

    def _tell_cancelled(self, running: _Running) -> None:
        if not running.told:
            running.told = True
            self._clients.send_outcome(running.job.client, Error.of(JobCancelled(), running.job.job_id))

    def _look_at_worker(self) -> None:
        now = time.monotonic()
        running = self._running
        if running is not None and running.cancelled_at is not None:
            if now - running.cancelled_at > self.settings.cancel_reply:
                self._tell_cancelled(running)
            if now - running.cancelled_at > self.settings.cancel_kill:
                _log.warning("The worker does not react to a cancel; it is started anew.")
                self._tell_cancelled(running)
                self._running = None
                self._stop_worker()
                self._start_worker()
        worker = self._worker
        if worker is None:
            return
        if worker.exited():
            if not worker.socket.poll(0):
                self._bury_worker(worker)
        elif not worker.ready and now - worker.started > self.settings.worker_start:
            _log.warning("Worker %d is not ready after %.0f s.", worker.process.pid, self.settings.worker_start)
            self._fail_start(
                RelightifyError(
                    "worker_start",
                    f"The reconstruction process was not ready after {self.settings.worker_start:.0f} seconds.",
                    f"Try again. If it happens again, report it with the log "
                    f"{log_path(self.settings.worker.log_name, 'worker')}",
                )
            )

    def _bury_worker(self, worker: WorkerProcess, death: RelightifyError | None = None) -> None:
        """End a worker that is done for, say so to whom it worked for (`death`, or as it ended), and start another."""
        was_ready, running = worker.ready, self._running
        self._stop_worker()
        death = death or worker.death()
        self._running = None
        if not was_ready:
            self._fail_start(death)
            return
        if running is not None and running.cancelled_at is not None:
            self._tell_cancelled(running)
        elif running is not None:
            self._clients.send_outcome(running.job.client, Error.of(death, running.job.job_id))
        self._start_worker()

    def _fail_start(self, error: RelightifyError) -> None:
        """The worker could not start: every waiting job fails with the reason; the next job tries again."""
        log = log_path(self.settings.worker.log_name, "worker")
        _log.error("The worker cannot start: %s Log: %s", error, log)
        self._stop_worker()
        self._tell_state("stopped")
        while (job := self._queue.next()) is not None:
            self._clients.send_outcome(job.client, Error.of(error, job.job_id))

    def _start_next_job(self) -> None:
        if self._worker is None or not self._worker.ready or self._running is not None:
            return
        job = self._queue.next()
        if job is None:
            return
        _log.log(_importance(job), "Job %s starts.", job.job_id)
        self._running = _Running(job)
        if not job.refit:  # it is over before anybody has read that the worker is busy
            self._tell_state("busy")
        self._tell_places()
        self._worker.send(job.frames)

    # --- the end ------------------------------------------------------------------------------------------------

    def _look_whether_to_stop(self) -> None:
        now = time.monotonic()
        if len(self._clients) or self._running is not None or len(self._queue):
            self._busy_at = now
        if self.settings.idle_exit and now - self._busy_at > self.settings.idle_exit:
            _log.info("Nobody has been here for %.0f s; ending.", self.settings.idle_exit)
            self.stop()
        if self._parent is not None and not self._parent.alive():
            _log.info("The process %d that this backend belongs to has ended; ending.", self._parent.pid)
            self.stop()

    def close(self) -> None:
        """End the worker, tell clients whose jobs are not done, and close all sockets."""
        if self._socket.closed:
            return
        ending = RelightifyError("backend_ended", "The backend was shut down.", "Start it again.")
        for job in self._jobs():
            self._clients.send_outcome(job.client, Error.of(ending, job.job_id))
        self._stop_worker()
        self._gatekeeper.close()
        self._socket.close()
        self._context.term()


def _importance(job: QueuedJob) -> int:
    """How a job is logged: refits come many times a second."""
    return logging.DEBUG if job.refit else logging.INFO


def _out_of_its_mind() -> RelightifyError:
    return RelightifyError(
        "worker_died",
        "The reconstruction process sent a message that cannot be read, most likely because memory ran out.",
        "Close other programs or choose a smaller resolution, then try again; it has been started anew.",
    )
