"""The messages of a hand on the fit: points go to the backend, a head comes back, many times a second.

Each carries all that it needs, so that the backend keeps nothing of a head that it could lose: a fit is described by
its coefficients and its camera, which are in `Result.info` as in `reconstruction.json`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, ClassVar, Literal

import numpy as np

from .corrections import Corrections
from .message_checks import ProtocolError, check, check_job_id

MAX_COEFFICIENTS = 1024
# In standard deviations of people.
MAX_COEFFICIENT = 1000.0
MAX_VERTICES = 2**20


def _check_array(name: str, value: object, dtype: str, shape: tuple[int | None, ...]) -> None:
    """An array of a type and shape, None for any length, without what is no number."""
    check(isinstance(value, np.ndarray) and value.dtype == np.dtype(dtype), f"{name} is no {dtype} array")
    assert isinstance(value, np.ndarray)
    right = value.ndim == len(shape)
    right = right and all(want in (None, have) for want, have in zip(shape, value.shape, strict=True))
    check(right, f"{name} has the shape {value.shape}")
    check(value.size <= 3 * MAX_VERTICES, f"{name} is too long")
    check(value.dtype.kind != "f" or bool(np.isfinite(value).all()), f"{name} holds what is no number")


@dataclass(frozen=True)
class FitState:
    """A head's coefficients and the photo's camera: what a fit is corrected from.

    Args:
        identity: float32 [K], p_s of the uncorrected fit.
        expression: float32 [E], p_e of it.
        camera_rotation: float64 [3, 3], head space to camera space.
        camera_translation: float64 [3], metres; the head is in front of the camera, so the third is negative.
        camera_focal_px: float64 [], more than 0.
        camera_centre_px: float64 [2].
        image_size: int32 [2], width and height of the photo.
    """

    identity: np.ndarray
    expression: np.ndarray
    camera_rotation: np.ndarray
    camera_translation: np.ndarray
    camera_focal_px: np.ndarray
    camera_centre_px: np.ndarray
    image_size: np.ndarray

    def __post_init__(self) -> None:
        for name in ("identity", "expression"):
            values = getattr(self, name)
            _check_array(name, values, "float32", (None,))
            check(0 < len(values) <= MAX_COEFFICIENTS, f"{name} is too long")
            check(bool(np.abs(values).max() <= MAX_COEFFICIENT), f"{name} is of no head")
        _check_array("camera_rotation", self.camera_rotation, "float64", (3, 3))
        off = np.abs(self.camera_rotation @ self.camera_rotation.T - np.eye(3)).max()
        check(bool(off < 1e-3), "camera_rotation is no rotation")
        _check_array("camera_translation", self.camera_translation, "float64", (3,))
        check(bool(self.camera_translation[2] < 0), "the head is behind the camera")
        _check_array("camera_focal_px", self.camera_focal_px, "float64", ())
        check(float(self.camera_focal_px) > 0 and isfinite(float(self.camera_focal_px)), "there is no focal length")
        _check_array("camera_centre_px", self.camera_centre_px, "float64", (2,))
        _check_array("image_size", self.image_size, "int32", (2,))
        check(bool((self.image_size > 0).all()), "the photo is empty")

    def arrays(self) -> dict[str, np.ndarray]:
        """All arrays by name."""
        return dict(vars(self))


def fit_state(info: Mapping[str, Any]) -> FitState:
    """The fit of a head from what `reconstruction.json` says; the one before its corrections where it has some.

    Raises:
        ProtocolError: it does not say enough.
    """
    said = info.get("uncorrected") or info
    try:
        camera = said["camera"]
        return FitState(
            identity=np.array(said["identity"], np.float32),
            expression=np.array(list(said["expression"].values()), np.float32),
            camera_rotation=np.array(camera["rotation"], np.float64),
            camera_translation=np.array(camera["translation_m"], np.float64),
            camera_focal_px=np.array(camera["focal_px"], np.float64),
            camera_centre_px=np.array(camera["centre_px"], np.float64),
            image_size=np.array([camera["width_px"], camera["height_px"]], np.int32),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ProtocolError("What is known of this head does not say how it was fitted.") from error


@dataclass(frozen=True)
class Refit:
    """Ask for the head that goes through corrected points; a job like any other, but a matter of milliseconds.

    The newest of a client wins: one that still waits when the next comes is cancelled.

    Args:
        job_id: chosen by the client.
        fit: what is corrected.
        corrections: in the photo's pixels; none give the uncorrected head, and the places of the handles.
    """

    sender: ClassVar[Literal["client"]] = "client"
    job_id: str
    fit: FitState
    corrections: Corrections = field(default_factory=Corrections)

    def __post_init__(self) -> None:
        check_job_id(self.job_id)
        check(isinstance(self.fit, FitState), "the fit is no fit")
        check(isinstance(self.corrections, Corrections), "the corrections are no corrections")


@dataclass(frozen=True)
class Refitted:
    """The outcome of `Refit`.

    Args:
        vertices: float32 [V, 3], the neutral head, as `HeadMesh.vertices`.
        hm08_vertex_ids: int32 [V], as those of `HeadMesh`: by them a client finds the vertices in its own mesh.
        expression: float32 [E], as `HeadMesh.expression_weights`.
        camera_rotation, camera_translation: as those of `HeadMesh`; the lens stays.
        handle_names: text [H], of the points that a hand may take hold of.
        handle_vertices: int32 [H, 3], the vertices of the triangle that each is in.
        handle_weights: float32 [H, 3], how much of each.
        handle_seen: uint8 [H], 1 where the photo can show it.
    """

    sender: ClassVar[Literal["server"]] = "server"
    job_id: str
    vertices: np.ndarray
    hm08_vertex_ids: np.ndarray
    expression: np.ndarray
    camera_rotation: np.ndarray
    camera_translation: np.ndarray
    handle_names: np.ndarray
    handle_vertices: np.ndarray
    handle_weights: np.ndarray
    handle_seen: np.ndarray

    def __post_init__(self) -> None:
        check_job_id(self.job_id)
        _check_array("vertices", self.vertices, "float32", (None, 3))
        _check_array("hm08_vertex_ids", self.hm08_vertex_ids, "int32", (len(self.vertices),))
        _check_array("expression", self.expression, "float32", (None,))
        _check_array("camera_rotation", self.camera_rotation, "float64", (3, 3))
        _check_array("camera_translation", self.camera_translation, "float64", (3,))
        names = self.handle_names
        check(
            isinstance(names, np.ndarray) and names.dtype.kind == "U" and names.ndim == 1, "the handles have no names"
        )
        count = len(names)
        _check_array("handle_vertices", self.handle_vertices, "int32", (count, 3))
        _check_array("handle_weights", self.handle_weights, "float32", (count, 3))
        _check_array("handle_seen", self.handle_seen, "uint8", (count,))
        inside = self.handle_vertices.size == 0 or (
            int(self.handle_vertices.min()) >= 0 and int(self.handle_vertices.max()) < len(self.vertices)
        )
        check(inside, "a handle is on a vertex that there is not")
