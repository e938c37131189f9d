"""The messages that travel between clients and the backend; how they look on the wire is in `shared.protocol`.

Each message checks itself when it is made, so both sides hold only messages that keep the rules.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, ClassVar, Literal

import numpy as np

from .corrections import Corrections
from .errors import RelightifyError
from .head_mesh import HeadMesh
from .mesh_check import check_environment, check_mesh
from .message_checks import Buffer, ProtocolError, clipped
from .message_checks import check as _check
from .message_checks import check_job_id as _check_job_id
from .message_checks import check_text as _check_text
from .options import JobOptions
from .photos import MOST_PHOTOS, further_keys
from .refit_messages import Refit, Refitted

MAX_PHOTO_BYTES = 256 * 2**20
MAX_PREVIEW_SIDE = 2048
MAX_FACES = 64
MAX_NAME = 256
# Of one client, at the same time: more than can wait in the server's queue.
MAX_OPEN_JOBS = 400

Side = Literal["client", "server"]
WORKER_STATES: tuple[str, ...] = ("stopped", "warming_up", "ready", "busy")


def new_job_id() -> str:
    """A job id that no other client will choose."""
    return uuid.uuid4().hex


def _check_worker(value: object) -> None:
    _check(value in WORKER_STATES, "there is no such worker state")


def _check_integer(name: str, value: object, low: int, high: int) -> None:
    _check(type(value) is int and low <= value <= high, f"{name} is not a whole number from {low} to {high}")


def _check_photo(photo: object) -> None:
    if not isinstance(photo, Buffer):
        raise ProtocolError("A message is malformed: the photo is not raw bytes.")
    check_photo_size(memoryview(photo).nbytes)


def check_photo_size(size: int, count: int = 1) -> None:
    """Check the bytes of a photo's file, or of all photos of a job.

    Args:
        size: of all of them together.
        count: how many there are.

    Raises:
        ProtocolError: ``photo_too_large``.
    """
    if size > MAX_PHOTO_BYTES:
        whose = "The photo has" if count == 1 else f"The {count} photos have together"
        raise ProtocolError(
            f"{whose} {size / 2**20:.0f} MB; at most {MAX_PHOTO_BYTES // 2**20} MB can be sent.",
            "photo_too_large",
            f"Save the photo{'s' if count > 1 else ''} as JPEG and try again.",
        )


def _check_picture(name: str, value: object, axes: int) -> None:
    """An 8-bit RGB picture, [H, W, 3], or a row of them, [N, H, W, 3]."""
    _check(isinstance(value, np.ndarray), f"{name} is not an array")
    assert isinstance(value, np.ndarray)
    right = value.dtype == np.uint8 and value.ndim == axes and value.shape[-1] == 3
    sides = value.shape[-3:-1]
    _check(right and min(sides) > 0 and max(sides) <= MAX_PREVIEW_SIDE, f"{name} is not an 8-bit RGB image")


def _check_number(name: str, value: object, low: float, high: float) -> None:
    right = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) and low <= value <= high
    _check(right, f"{name} is not a number from {low} to {high}")


@dataclass(frozen=True)
class Hello:
    """Client's first message.

    Args:
        client: name and version of the client, for the log.
    """

    sender: ClassVar[Side] = "client"
    client: str

    def __post_init__(self) -> None:
        _check_text("client", self.client)


@dataclass(frozen=True)
class Welcome:
    """The server's answer to `Hello`, sent again whenever one of these changes.

    Args:
        server: name and version of the server.
        worker: `stopped` (no models in memory, the next job starts it), `warming_up`, `ready` or `busy`.
        qualities: qualities that this backend can do; empty until the worker has been ready once.
        devices: devices that the worker sees, such as `cpu`, `cuda:0`; empty until then.
        device: the device in use; empty until then.
        max_photo_bytes: the largest photo that the server takes.
    """

    sender: ClassVar[Side] = "server"
    server: str
    worker: str
    qualities: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    device: str = ""
    max_photo_bytes: int = MAX_PHOTO_BYTES

    def __post_init__(self) -> None:
        _check_text("server", self.server)
        _check_worker(self.worker)
        for name in (*self.qualities, *self.devices, self.device):
            _check_text("qualities and devices", name)
        _check_integer("max_photo_bytes", self.max_photo_bytes, 0, 2**63)


@dataclass(frozen=True)
class Reconstruct:
    """Ask for the head in a photo, or in several of one person.

    Args:
        job_id: chosen by the client, see `new_job_id`.
        photo: the bytes of the photo's file, at most `MAX_PHOTO_BYTES`.
        options: what to make; its `face` is of `photo`.
        file_name: the photo's name, for messages only; never opened.
        further: the bytes of further photos of the person, under "2", "3" and so on, at most `MOST_PHOTOS` in all, and
            all of them together at most `MAX_PHOTO_BYTES`.
        further_faces: which face of each of those, None for the largest; may be shorter.
        corrections: of the fit, by hand.
    """

    sender: ClassVar[Side] = "client"
    job_id: str
    photo: Buffer
    options: JobOptions = field(default_factory=JobOptions)
    file_name: str = ""
    further: Mapping[str, Buffer] = field(default_factory=dict)
    further_faces: tuple[int | None, ...] = ()
    corrections: Corrections = field(default_factory=Corrections)

    @property
    def photos(self) -> tuple[Buffer, ...]:
        """All photos in order."""
        return (self.photo, *(self.further[key] for key in further_keys(len(self.further))))

    def __post_init__(self) -> None:
        _check_job_id(self.job_id)
        _check_text("file_name", self.file_name)
        _check_photo(self.photo)
        _check(isinstance(self.further, Mapping), "the further photos are no map")
        _check(len(self.further) < MOST_PHOTOS, f"there are more than {MOST_PHOTOS} photos")
        _check(set(self.further) == set(further_keys(len(self.further))), "the further photos are not numbered from 2")
        for photo in self.further.values():
            _check_photo(photo)
        check_photo_size(sum(memoryview(photo).nbytes for photo in self.photos), len(self.photos))
        faces = self.further_faces
        _check(isinstance(faces, tuple) and len(faces) <= len(self.further), "there are more faces than photos")
        for face in faces:
            if face is not None:
                _check_integer("face", face, 0, MAX_FACES - 1)
        _check(isinstance(self.options, JobOptions), "the options are not options")
        _check(isinstance(self.corrections, Corrections), "the corrections are no corrections")


@dataclass(frozen=True)
class Detect:
    """Ask which faces are in a photo, so that one can be chosen; a job like any other, but a matter of a second.

    Args:
        job_id: chosen by the client, see `new_job_id`.
        photo: the bytes of the photo's file, at most `MAX_PHOTO_BYTES`.
        file_name: the photo's name, for messages only; never opened.
    """

    sender: ClassVar[Side] = "client"
    job_id: str
    photo: Buffer
    file_name: str = ""

    def __post_init__(self) -> None:
        _check_job_id(self.job_id)
        _check_text("file_name", self.file_name)
        _check_photo(self.photo)


@dataclass(frozen=True)
class Queued:
    """The job was taken; sent again whenever it moves up.

    Args:
        ahead: jobs that come first, the running one included; 0 with a worker that is warming up means that it starts
            as soon as the models are loaded.
        worker: as in `Welcome`.
    """

    sender: ClassVar[Side] = "server"
    job_id: str
    ahead: int
    worker: str

    def __post_init__(self) -> None:
        _check_job_id(self.job_id)
        _check_integer("ahead", self.ahead, 0, 2**31)
        _check_worker(self.worker)


@dataclass(frozen=True)
class JobProgress:
    """How far the job is.

    Args:
        stage: name of the running stage, for people.
        fraction: of the whole job, in [0, 1].
        seconds_left: estimate, or None while there is none.
        preview: uint8 [H, W, 3], sRGB-encoded, row 0 at the top, at most `MAX_PREVIEW_SIDE` a side; or None.
    """

    sender: ClassVar[Side] = "server"
    wire_type: ClassVar[str] = "progress"
    job_id: str
    stage: str
    fraction: float
    seconds_left: float | None = None
    preview: np.ndarray | None = None

    def __post_init__(self) -> None:
        _check_job_id(self.job_id)
        _check_text("stage", self.stage)
        _check_number("fraction", self.fraction, 0.0, 1.0)
        if self.seconds_left is not None:
            _check_number("seconds_left", self.seconds_left, 0.0, 1e9)
        if self.preview is not None:
            _check_picture("preview", self.preview, 3)


@dataclass(frozen=True)
class Faces:
    """The outcome of `Detect`: at least one face, in the order of `JobOptions.face`, largest first.

    Args:
        boxes: float32 [N, 4], x0, y0, x1, y1 of each face as parts of the upright photo's width and height.
        thumbnails: uint8 [N, S, S, 3], sRGB, row 0 at the top: each face, upright and cut out.
        photo: uint8 [H, W, 3], sRGB: the upright photo, reduced.
        problems: N sentences that say why a face cannot be reconstructed; empty where it can.
    """

    sender: ClassVar[Side] = "server"
    job_id: str
    boxes: np.ndarray
    thumbnails: np.ndarray
    photo: np.ndarray
    problems: tuple[str, ...]

    def __post_init__(self) -> None:
        _check_job_id(self.job_id)
        _check(isinstance(self.boxes, np.ndarray) and self.boxes.dtype == np.float32, "boxes is no float32 array")
        count = len(self.problems)
        _check(0 < count <= MAX_FACES and self.boxes.shape == (count, 4), "boxes and problems do not match")
        _check(bool(np.isfinite(self.boxes).all()), "boxes holds what is no number")
        _check_picture("thumbnails", self.thumbnails, 4)
        _check(len(self.thumbnails) == count, "there is not one thumbnail for each face")
        _check_picture("photo", self.photo, 3)
        for problem in self.problems:
            _check_text("problem", problem)


@dataclass(frozen=True)
class Result:
    """The job is done.

    Args:
        mesh: the head.
        maps: encoded PNG file of each map by its name in `shared.maps`, those of further samples by
            `shared.maps.sample_key`; by `shared.photos.copy_key` a JPEG of each upright photo whose file is turned or
            in a format that few programs read.
        info: what `reconstruction.json` holds; plain JSON values.
        warnings: sentences for the user; those about one of several photos begin with its name by `shared.photos`.
        further_lights: of the photos that were used after the first of them, by number as in `info`: float32
            [H, 2H, 3], as `HeadMesh.environment`.
    """

    sender: ClassVar[Side] = "server"
    job_id: str
    mesh: HeadMesh
    maps: Mapping[str, Buffer]
    info: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    further_lights: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_job_id(self.job_id)
        check_mesh(self.mesh)
        _check(isinstance(self.info, Mapping), "info is not a map")
        for name in self.maps:
            _check_text("map name", name)
        for warning in self.warnings:
            _check_text("warning", warning)
        # The first photo is a further one where it is a profile: the first that shows a face gives the head its light.
        _check(set(self.further_lights) <= {"1", *further_keys(MOST_PHOTOS - 1)}, "a light is of no photo")
        for light in self.further_lights.values():
            check_environment(light)


@dataclass(frozen=True)
class Error:
    """The job failed or was cancelled (code `cancelled`), or, without a job id, the client's message was wrong."""

    sender: ClassVar[Side] = "server"
    code: str
    message: str
    hint: str = ""
    job_id: str | None = None

    def __post_init__(self) -> None:
        if self.job_id is not None:
            _check_job_id(self.job_id)
        for name in ("code", "message", "hint"):
            _check_text(name, getattr(self, name))

    @staticmethod
    def of(error: RelightifyError, job_id: str | None = None) -> Error:
        """The message that carries `error`; texts that are too long for it are cut."""
        return Error(error.code, clipped(error.message), clipped(error.hint), job_id)

    def exception(self) -> RelightifyError:
        """The error that this message carries."""
        return RelightifyError(self.code, self.message, self.hint)


@dataclass(frozen=True)
class Cancel:
    """Stop a job, queued or running; the server answers with an `Error` of code `cancelled`."""

    sender: ClassVar[Side] = "client"
    job_id: str

    def __post_init__(self) -> None:
        _check_job_id(self.job_id)


@dataclass(frozen=True)
class Ping:
    """The client lives. Sent every `HEARTBEAT_SECONDS` of `shared.link`; a client that falls silent is lost.

    Args:
        jobs: the client's jobs that have had neither `Result` nor `Error`, at most `MAX_OPEN_JOBS`. The server answers
            for those it does not know with an `Error` of code `job_lost`, and lets go of results that are not listed.
    """

    sender: ClassVar[Side] = "client"
    jobs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check(isinstance(self.jobs, tuple) and len(self.jobs) <= MAX_OPEN_JOBS, f"jobs is no list of {MAX_OPEN_JOBS}")
        for job_id in self.jobs:
            _check_job_id(job_id)


@dataclass(frozen=True)
class Pong:
    """The server lives; the answer to each `Ping`, during jobs as well."""

    sender: ClassVar[Side] = "server"
    worker: str

    def __post_init__(self) -> None:
        _check_worker(self.worker)


@dataclass(frozen=True)
class Goodbye:
    """The client leaves; its jobs are dropped."""

    sender: ClassVar[Side] = "client"


@dataclass(frozen=True)
class Shutdown:
    """End the server, its worker and all jobs."""

    sender: ClassVar[Side] = "client"


# What a client asks for, and what it gets where nothing goes wrong.
Request = Reconstruct | Detect | Refit
Outcome = Result | Faces | Refitted
ClientMessage = Hello | Request | Cancel | Ping | Goodbye | Shutdown
ServerMessage = Welcome | Queued | JobProgress | Outcome | Error | Pong
Message = ClientMessage | ServerMessage
