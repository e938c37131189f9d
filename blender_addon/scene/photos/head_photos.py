"""The photos of one person that a head was made from, where it was several: kept with it, a camera and a light each.

What belongs to the photo that gives the head its camera, the first one that was used, is under the plain marks of
`heads`; that of the others under these marks with their numbers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import bpy
import numpy as np

from ..._shared import RelightifyError, Result, copy_key, photo_name, photo_of
from ..heads import CAMERA, MADE, PHOTO, WORLD, ImportedHead, belonging
from ..images import stored_file
from ..world import environment_world
from .camera import background_image, build_camera
from .photo_source import PhotoSource, chosen_photo

# Custom property of the head: JSON, as long as no property of Blender's shows in full.
PHOTOS = "relightify_photos"


@dataclass(frozen=True)
class HeadPhoto:
    """A photo of a head that was made from several.

    Args:
        number: from 1, in the order in which they were given.
        name: for people, and of camera and light.
        file_name: for messages.
        face: which face of it, None for the largest.
        used: whether it was; else it was left out.
        notes: what is said about it.
        expression: weights by name of shape; empty where it was not used.
        reference: whether it gives the head its camera, light and expression: the first that shows a face. Heads that
            do not say of any have the first that was used.
    """

    number: int
    name: str
    file_name: str
    face: int | None
    used: bool
    notes: tuple[str, ...]
    expression: Mapping[str, float]
    reference: bool = False


@dataclass(frozen=True)
class FurtherView:
    """How a photo after the first one that was used sees the head.

    Args:
        number: of the photo.
        camera_rotation, camera_translation, camera_focal_px, camera_centre_px, image_size: as those of `HeadMesh`.
        environment: as that of `HeadMesh`.
    """

    number: int
    camera_rotation: np.ndarray
    camera_translation: np.ndarray
    camera_focal_px: np.ndarray
    camera_centre_px: np.ndarray
    image_size: np.ndarray
    environment: np.ndarray


def told_photos(photos: Sequence[PhotoSource], result: Result) -> tuple[HeadPhoto, ...]:
    """What a result says of each photo that was sent.

    Raises:
        KeyError: it does not say enough.
    """
    used = {int(said["number"]): said for said in result.info["photos"]}
    first = next(iter(used))
    return tuple(
        HeadPhoto(
            number,
            photo.name,
            photo.file_name,
            photo.face,
            number in used,
            tuple(named(sentence, photos) for sentence in result.warnings if photo_of(sentence) == number),
            dict(used[number]["expression"]) if number in used else {},
            number == first,
        )
        for number, photo in enumerate(photos, 1)
    )


def named(sentence: str, photos: Sequence[PhotoSource]) -> str:
    """A sentence about one of several photos, with the file's name in the place of the number; others as they are."""
    number = photo_of(sentence)
    if number is None or not 1 <= number <= len(photos):
        return sentence
    return sentence.replace(photo_name(number), photos[number - 1].file_name, 1)


def further_views(result: Result) -> tuple[FurtherView, ...]:
    """How the photos that were used see the head, but for the first of them.

    Raises:
        KeyError: the result does not say.
    """
    return tuple(_view(said, result) for said in result.info["photos"][1:])


def _view(said: Mapping[str, Any], result: Result) -> FurtherView:
    number, camera = int(said["number"]), said["camera"]
    return FurtherView(
        number,
        np.array(camera["rotation"], np.float64),
        np.array(camera["translation_m"], np.float64),
        np.array(camera["focal_px"], np.float64),
        np.array(camera["centre_px"], np.float64),
        np.array([camera["width_px"], camera["height_px"]], np.int32),
        result.further_lights[str(number)],
    )


def add_photos(
    done: ImportedHead, photos: Sequence[PhotoSource], result: Result, units_per_metre: float, *, use_camera: bool
) -> tuple[str, ...]:
    """Give a new head its photos, and for each that was used after the first a camera and a light.

    Args:
        done: the head, as its first photo has it.
        photos: all that were sent.
        result: what came of them.
        units_per_metre: of the scene.
        use_camera: whether cameras are wanted.

    Returns:
        Sentences about photos that cannot be shown behind the head, each once.

    Raises:
        KeyError: the result does not say enough of the photos.
    """
    told, head = told_photos(photos, result), done.head
    views = {view.number: view for view in further_views(result)}
    first = int(result.info["photos"][0]["number"])
    warnings: list[str] = []
    for number, photo in enumerate(photos, 1):
        key, shown = copy_key(number, first), None
        view = views.get(number)
        if view is not None:
            name = photo.name
            upright = bytes(result.maps.get(key, photo.data))
            if use_camera:
                shown, said = background_image(f"{name} photo", upright, view)
                warnings += said
                head[_mark(CAMERA, number)] = camera = build_camera(f"{name} camera", view, shown, units_per_metre)
                camera[MADE] = True
                done.collection.objects.link(camera)
                camera.parent = done.root
            head[_mark(WORLD, number)] = environment_world(f"{name} photo light", view.environment)
        if number > 1:
            itself = shown is not None and key not in result.maps
            head[_mark(PHOTO, number)] = shown if itself else stored_file(f"{photo.name} original photo", photo.data)
    keep_photos(head, told)
    return tuple(dict.fromkeys(warnings))


def keep_photos(head: bpy.types.Object, photos: Iterable[HeadPhoto]) -> None:
    """Keep what is known of a head's photos."""
    head[PHOTOS] = json.dumps([asdict(photo) for photo in photos])


def kept_photos(head: bpy.types.Object | None) -> tuple[HeadPhoto, ...]:
    """The photos of a head that was made from several, in order; none for one that was made from one."""
    try:
        values = json.loads(head.get(PHOTOS, "[]")) if head is not None else []
        return tuple(HeadPhoto(**{**value, "notes": tuple(value["notes"])}) for value in values)
    except (ValueError, TypeError, KeyError):  # somebody has edited the property
        return ()


def first_number(photos: Sequence[HeadPhoto]) -> int:
    """The number of the photo that gives a head its camera, light and expression."""
    reference = _reference(photos)
    return reference.number if reference is not None else 1


def reference_of(head: bpy.types.Object | None) -> HeadPhoto | None:
    """The photo that gives a head its camera, light and expression, of one that was made from several; else None."""
    return _reference(kept_photos(head))


def _reference(photos: Sequence[HeadPhoto]) -> HeadPhoto | None:
    used = [photo for photo in photos if photo.used]
    return next((photo for photo in used if photo.reference), used[0] if used else None)


def camera_of(head: bpy.types.Object, number: int) -> bpy.types.Object | None:
    """The camera of one of a head's photos, None where it has none (any more)."""
    return belonging(head, _own_mark(head, CAMERA, number))


def world_of(head: bpy.types.Object, number: int) -> bpy.types.World | None:
    """The light of one of a head's photos, None where it has none."""
    return head.get(_own_mark(head, WORLD, number))


def original_of(head: bpy.types.Object, number: int) -> bpy.types.Image | None:
    """The image that keeps the file of one of a head's photos."""
    return head.get(PHOTO if number == 1 else _mark(PHOTO, number))


def sources_of(head: bpy.types.Object) -> tuple[PhotoSource, ...]:
    """The photos of a head that was made from several, ready to be sent again; none for one that was made from one.

    Raises:
        RelightifyError: ``no_photo``, the file has lost one of them.
    """
    found = []
    for photo in kept_photos(head):
        image = original_of(head, photo.number)
        if image is None:
            raise RelightifyError(
                "no_photo",
                f"{head.name} has lost its photo {photo.name}.",
                "Reconstruct it from the files of its photos.",
            )
        names = {"name": photo.name, "file_name": photo.file_name, "face": photo.face}
        found.append(replace(chosen_photo("", image), **names))
    return tuple(found)


def numbered_marks(head: bpy.types.Object, kind: str) -> list[str]:
    """The marks of a head for photos other than the one that gives it its camera.

    Args:
        head: it.
        kind: `PHOTO`, `CAMERA` or `WORLD`.
    """
    begins = f"{kind}_"
    keys = list(head.keys())
    return sorted(key for key in keys if key.startswith(begins) and key.removeprefix(begins).isdigit())


def photo_marks(head: bpy.types.Object) -> dict[str, Any]:
    """What a head has of its photos, by mark: cameras, lights, the files of further ones, and what is known of them."""
    marks = [CAMERA, WORLD, PHOTOS, *(mark for kind in (PHOTO, CAMERA, WORLD) for mark in numbered_marks(head, kind))]
    return {mark: head[mark] for mark in marks if mark in head}


def _mark(kind: str, number: int) -> str:
    return f"{kind}_{number}"


def _own_mark(head: bpy.types.Object, kind: str, number: int) -> str:
    return kind if number == first_number(kept_photos(head)) else _mark(kind, number)
