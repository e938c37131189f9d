"""Faces in a photo: 478 landmarks, 52 expression scores and pose from MediaPipe Face Landmarker (DESIGN section 5).

MediaPipe's own search misses faces that are small in the photo, fill it, or lie on their side, and its landmarks
depend by about 0.6 % of the interocular distance on how the face happens to be framed, with a left-right bias of
0.9 %. Here the search is repeated over paddings, tiles and rotations, and every face is measured again on a set of
upright crops and their mirror images, whose mean is taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import cv2
import numpy as np

from backend.photo.face_checks import face_warnings
from backend.photo.landmark_table import IRIS_LEFT, IRIS_RIGHT, MIRROR
from backend.photo.networks.graph_release import close_when_gone
from backend.photo.networks.model_file import FACE_LANDMARKER, fetched_model
from backend.photo.networks.native_libraries import require_graphics_libraries
from backend.photo.networks.native_logs import native_stderr_to_log
from backend.photo.networks.unused_imports import without_plotting
from backend.photo.reading import Photo
from backend.photo.upright_crop import CROP_SIDE_PX, upright_crop, warped
from backend.side_by_side import in_order, usable_cores
from shared.errors import RelightifyError

MIN_FACE_PX = 64
MAX_YAW_DEGREES = 85.0
_MAX_FACES = 12
_SEARCH_SIDE_PX = 640
_MAX_SPREAD = 0.02
# Crops relative to the face's extent: shift right, shift down, side, roll in radians.
_CROPS = ((0.0, 0.0, 2.0, 0.0), (0.04, 0.03, 1.8, 0.06), (-0.04, 0.03, 2.2, -0.06), (0.0, -0.05, 1.7, 0.0))
# fmt: off
ARKIT_NAMES: tuple[str, ...] = (
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff",
    "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight",
    "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight",
    "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen", "jawRight",
    "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel",
    "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker",
    "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft",
    "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "noseSneerLeft", "noseSneerRight", "tongueOut",
)
# fmt: on


@dataclass(frozen=True)
class Face:
    """One face of a photo, in the pixels of the whole photo.

    Args:
        landmarks_px: float64 [478, 2], x and y in pixels, y down, pixel centres at .5; may lie outside the photo.
        depth: float64 [478], pixels, larger is farther from the camera, 0 about the middle of the head (weak
            perspective, so only a guess).
        box: x0, y0, x1, y1 in pixels, the extent of the landmarks.
        expression: float32 [52] in [0, 1], in the order of `ARKIT_NAMES`; the detector never gives ``tongueOut``.
        head_pose: float64 [4, 4], head space (metres) to the space of a camera that looks straight at the face (looks
            down -z, +y up). The rotation is good to a few degrees; the distance assumes a field of view of 63 degrees
            and is a guess.
        warnings: sentences for the user about what may spoil the result.
    """

    landmarks_px: np.ndarray
    depth: np.ndarray
    box: tuple[float, float, float, float]
    expression: np.ndarray
    head_pose: np.ndarray
    warnings: tuple[str, ...] = ()

    @property
    def size_px(self) -> float:
        """The longer side of the box in pixels."""
        return max(self.box[2] - self.box[0], self.box[3] - self.box[1])

    @property
    def interocular_px(self) -> float:
        """Distance between the iris centres in pixels."""
        return float(np.linalg.norm(self.landmarks_px[IRIS_LEFT[0]] - self.landmarks_px[IRIS_RIGHT[0]]))

    @property
    def yaw_degrees(self) -> float:
        """Turn of the head about its vertical axis, positive towards the subject's left, 0 when frontal."""
        # R = Rz(roll) Rx(pitch) Ry(yaw), so its last row knows nothing of the roll.
        return float(np.degrees(np.arctan2(-self.head_pose[2, 0], self.head_pose[2, 2])))


@dataclass(frozen=True)
class _Detection:
    """What the landmarker says about one image: points [478, 3] in its pixels, scores [52], pose [4, 4]."""

    points: np.ndarray
    expression: np.ndarray
    pose: np.ndarray


class FaceDetector:
    """Holds the loaded landmarkers; one object serves any number of photos, from one thread at a time."""

    def __init__(self, model_path: Path | None = None) -> None:
        """Load the model file, which is fetched on first use.

        Args:
            model_path: a MediaPipe ``face_landmarker.task``; None takes (and fetches) the project's own.

        Raises:
            RelightifyError: ``missing_library``, or the model file cannot be had (see `fetched_model`).
        """
        require_graphics_libraries()
        path = fetched_model(FACE_LANDMARKER) if model_path is None else model_path
        with native_stderr_to_log():
            # Importing here keeps the half second and the native logging out of programs that detect nothing.
            with without_plotting():
                import mediapipe as mp
                from mediapipe.tasks.python import BaseOptions, vision

            options = vision.FaceLandmarkerOptions(
                base_options=BaseOptions(model_asset_buffer=path.read_bytes()),
                running_mode=vision.RunningMode.IMAGE,
                num_faces=_MAX_FACES,
                output_face_blendshapes=True,
                output_facial_transformation_matrixes=True,
            )
            self._image_format: Any = mp.ImageFormat.SRGB
            self._image_class: Any = mp.Image
            # A face is measured several times over, two at a time.
            self._graphs: list[Any] = [
                vision.FaceLandmarker.create_from_options(options) for _ in range(min(2, usable_cores()))
            ]
            self._releases = [close_when_gone(self, graph) for graph in self._graphs]
            # A graph speaks up once more at its first image.
            for graph in self._graphs:
                self._landmarks_in(np.zeros((64, 64, 3), np.uint8), graph)

    def detect(self, photo: Photo, *, thorough: bool = False, warned: bool = True) -> tuple[Face, ...]:
        """Faces, largest first; empty where there is none.

        Args:
            photo: the upright photo.
            thorough: go on looking for smaller faces once some have been found, about a second; the order is the same
                each time, so that one can be chosen by its number.
            warned: find out as well what to warn of, see `with_warnings`.
        """
        image = photo.image_srgb
        faces: list[Face] = []
        for views, is_upright in _searches(image):
            if faces and not (thorough and is_upright):
                break
            for view, to_photo in views:
                for detection in self._landmarks_in(view, self._graphs[0]):
                    rough = _apply(to_photo, detection.points)
                    if any(_overlap(_box(rough), face.box) > 0.3 for face in faces):
                        continue
                    face = self._measure(image, rough)
                    if face is not None and not any(_overlap(face.box, other.box) > 0.3 for other in faces):
                        faces.append(face)
        faces.sort(key=lambda face: -face.size_px)
        return tuple(with_warnings(face, photo) for face in faces) if warned else tuple(faces)

    def _landmarks_in(self, image: np.ndarray, graph: Any) -> list[_Detection]:
        """Run a landmarker on uint8 [H, W, 3]."""
        result = graph.detect(self._image_class(self._image_format, np.ascontiguousarray(image)))
        height, width = image.shape[:2]
        detections = []
        for points, scores, pose in zip(
            result.face_landmarks, result.face_blendshapes, result.facial_transformation_matrixes, strict=True
        ):
            xyz = np.array([[p.x, p.y, p.z] for p in points]) * (width, height, width)
            by_name = {score.category_name: score.score for score in scores}
            expression = np.array([by_name.get(name, 0.0) for name in ARKIT_NAMES])
            detections.append(_Detection(xyz, expression, np.array(pose, np.float64)))
        return detections

    def _measure(self, image: np.ndarray, rough: np.ndarray) -> Face | None:
        """Mean of the landmarks over upright crops and their mirror images; None where there is no face after all."""
        crops = [upright_crop(rough, *crop) for crop in _CROPS]
        views = [(warped(image, to_crop), mirrored) for to_crop, _ in crops for mirrored in (False, True)]
        idle: SimpleQueue[Any] = SimpleQueue()
        for graph in self._graphs:
            idle.put(graph)

        def look(view: tuple[np.ndarray, bool]) -> list[_Detection]:
            graph = idle.get()
            try:
                return self._landmarks_in(view[0][:, ::-1] if view[1] else view[0], graph)
            finally:
                idle.put(graph)

        kept = []
        for number, found in enumerate(in_order(look, views, len(self._graphs))):
            if not found:
                continue
            (to_crop, roll), (_, mirrored) = crops[number // 2], views[number]
            to_photo = cv2.invertAffineTransform(to_crop)
            central = min(found, key=lambda d: float(np.linalg.norm(d.points[:, :2].mean(0) - CROP_SIDE_PX / 2)))
            kept.append(_in_photo(_unmirrored(central) if mirrored else central, to_photo, roll))
        if len(kept) < len(_CROPS):
            return None
        return _mean_face(kept)

    def close(self) -> None:
        """Release the native graphs."""
        for release in self._releases:
            release()


def with_warnings(face: Face, photo: Photo) -> Face:
    """A face with what may spoil the result, in addition to what it has."""
    found = face_warnings(photo.image_srgb, face.landmarks_px, face.yaw_degrees)
    return replace(face, warnings=(*face.warnings, *found))


def choose_face(faces: tuple[Face, ...], index: int | None = None) -> Face:
    """The face to reconstruct.

    Args:
        faces: what `FaceDetector.detect` returned.
        index: 0 for the largest, 1 for the next, and so on; None takes the largest and warns where there are several.

    Raises:
        RelightifyError: ``no_face``, ``bad_face_index``, ``face_too_small`` or ``face_in_profile``.
    """
    if not faces:
        raise RelightifyError(
            "no_face",
            "No face was found in the photo.",
            "Use a photo in which the face is well lit, in focus, not covered, and turned towards the camera.",
        )
    sizes = ", ".join(f"{i}: {face.size_px:.0f} px at x {face.box[0]:.0f}" for i, face in enumerate(faces))
    if index is not None and not 0 <= index < len(faces):
        count = "1 face" if len(faces) == 1 else f"{len(faces)} faces"
        raise RelightifyError(
            "bad_face_index",
            f"There is no face {index}: the photo has {count} ({sizes}).",
            f"Choose 0 to {len(faces) - 1}; 0 is the largest." if len(faces) > 1 else "Choose 0.",
        )
    face = faces[index or 0]
    if face.size_px < MIN_FACE_PX:
        raise RelightifyError(
            "face_too_small",
            f"The face is only {face.size_px:.0f} pixels high.",
            f"Use a larger photo: at least {MIN_FACE_PX} pixels across the face, better 500.",
        )
    if abs(face.yaw_degrees) > MAX_YAW_DEGREES:
        raise RelightifyError(
            "face_in_profile",
            "The face is turned away too far to be measured.",
            "Use a photo in which both eyes can be seen.",
        )
    if index is None and len(faces) > 1:
        note = f"The photo has {len(faces)} faces; the largest was taken ({sizes})."
        return replace(face, warnings=(note, *face.warnings))
    return face


def _searches(image: np.ndarray) -> Iterator[tuple[list[tuple[np.ndarray, np.ndarray]], bool]]:
    """Ever more thorough sets of views of the image, each with its affine map [2, 3] from the view to the photo.

    With each set comes whether its views are as upright as the photo.
    """
    height, width = image.shape[:2]
    whole = (0.0, 0.0, float(width), float(height))
    yield [_view(image, whole)], True
    # A face that fills the frame is found once there is room around it.
    margin = 0.5 * max(height, width)
    room = (-margin, -margin, width + margin, height + margin)
    yield [_view(image, room)], True
    # A face that is small in the frame is found in tiles; their sides are a half, then a quarter, of the shorter side.
    for part in (2, 4):
        side = max(min(height, width) / part, 2.0 * MIN_FACE_PX)
        if side < min(height, width):
            corners = [(x, y) for y in _starts(height, side) for x in _starts(width, side)]
            yield [_view(image, (x, y, x + side, y + side)) for x, y in corners], True
    # A photo that lost its orientation.
    for turns in (1, 3, 2):
        yield [_turned(view, to_photo, turns) for view, to_photo in (_view(image, whole), _view(image, room))], False


def _starts(length: int, side: float) -> np.ndarray:
    return np.linspace(0, length - side, max(int(np.ceil((length - side) / (side / 2))) + 1, 2))


def _view(image: np.ndarray, box: tuple[float, float, float, float]) -> tuple[np.ndarray, np.ndarray]:
    """The box of the image (grey beyond its edges), at most `_SEARCH_SIDE_PX` large."""
    x0, y0, x1, y1 = box
    scale = min(1.0, _SEARCH_SIDE_PX / max(x1 - x0, y1 - y0))
    to_view = np.array([[scale, 0, -x0 * scale], [0, scale, -y0 * scale]])
    view = warped(image, to_view, (round((x1 - x0) * scale), round((y1 - y0) * scale)), grey=True)
    return view, cv2.invertAffineTransform(to_view)


def _turned(view: np.ndarray, to_photo: np.ndarray, turns: int) -> tuple[np.ndarray, np.ndarray]:
    """The view turned by quarter turns counter-clockwise, and its map to the photo."""
    for _ in range(turns):
        width = view.shape[1]
        view = np.rot90(view)
        # A turn takes (x, y) to (y, width - x).
        to_photo = to_photo @ np.array([[0.0, -1, width], [1, 0, 0], [0, 0, 1]])
    return view, to_photo


def _apply(transform: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Map points [478, 3] by an affine transform [2, 3]; depths are scaled with it."""
    scale = np.sqrt(abs(np.linalg.det(transform[:, :2])))
    return np.column_stack([points[:, :2] @ transform[:, :2].T + transform[:, 2], points[:, 2] * scale])


def _unmirrored(detection: _Detection) -> _Detection:
    """What a detection in a mirrored crop says about the crop itself."""
    points = detection.points[MIRROR] * (-1, 1, 1) + (CROP_SIDE_PX, 0, 0)
    flip = np.diag([-1.0, 1.0, 1.0, 1.0])
    return _Detection(points, detection.expression[_MIRRORED_EXPRESSION], flip @ detection.pose @ flip)


def _in_photo(detection: _Detection, to_photo: np.ndarray, roll: float) -> _Detection:
    """From an upright crop to the photo; the pose is turned back by the crop's angle (clockwise as seen, y down)."""
    turn = np.eye(4)
    turn[:2, :2] = np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]])
    return _Detection(_apply(to_photo, detection.points), detection.expression, turn @ detection.pose)


def _mean_face(detections: list[_Detection]) -> Face | None:
    """Mean of several measurements of one face without those far from the median; None where they disagree."""
    points = np.stack([d.points for d in detections])
    extent = float(np.ptp(np.median(points, axis=0)[:, :2], axis=0).max())
    distance = np.linalg.norm(points - np.median(points, axis=0), axis=-1).mean(axis=1)
    # The crops agree to 0.3-0.7 % on a face; on what is not one, or is upside down, they differ by some 5 %.
    if np.median(distance) > _MAX_SPREAD * extent:
        return None
    good = distance <= max(0.03 * extent, float(np.median(distance)))
    mean = points[good].mean(axis=0)
    poses = np.stack([d.pose for d in detections])[good]
    pose = np.eye(4)
    u, _, vt = np.linalg.svd(poses[:, :3, :3].mean(axis=0))
    pose[:3, :3] = u @ np.diag([1.0, 1.0, np.linalg.det(u @ vt)]) @ vt
    pose[:3, 3] = poses[:, :3, 3].mean(axis=0) / 100  # centimetres
    expression = np.stack([d.expression for d in detections])[good].mean(axis=0)
    return Face(mean[:, :2], mean[:, 2], _box(mean), np.clip(expression, 0, 1).astype(np.float32), pose)


def _box(points: np.ndarray) -> tuple[float, float, float, float]:
    (x0, y0), (x1, y1) = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    return float(x0), float(y0), float(x1), float(y1)


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    """Intersection over the smaller of two boxes."""
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    smaller = min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))
    return width * height / max(smaller, 1e-9)


def _mirrored_name(name: str) -> str:
    if name.endswith("Left"):
        return name.removesuffix("Left") + "Right"
    return name.removesuffix("Right") + "Left" if name.endswith("Right") else name


_MIRRORED_EXPRESSION = np.array([ARKIT_NAMES.index(_mirrored_name(name)) for name in ARKIT_NAMES])
