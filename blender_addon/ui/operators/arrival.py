"""How the head of a finished job arrives in the scene: built, in an older one's place where asked, and looked at."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import bpy

from ..._shared import RelightifyError, Result
from ...link.jobs import Job
from ...scene.extra_maps import keep_extra_maps
from ...scene.heads import ImportedHead, is_head_collection
from ...scene.importer import import_head
from ...scene.parts import FULL
from ...scene.photo_source import PhotoSource
from ...scene.replacing import replace_head
from ...scene.samples import forget_samples, keep_samples
from ..properties.light import adopt_photo_light
from ..viewport import look_through_camera, push_undo, select_alone


@dataclass(frozen=True)
class ImportOptions:
    """What to do with a finished head.

    Args:
        use_camera: add the photo's camera and look through it.
        use_light: make the photo's light the scene's world.
        parts: `parts.FULL` or `parts.SKIN`.
        target: name of the collection of the head that is to be renewed; empty for a new head.
    """

    use_camera: bool = True
    use_light: bool = True
    parts: str = FULL
    target: str = ""


def bring_in(job: Job, result: Result, *, scene_name: str, photo: PhotoSource, wanted: ImportOptions) -> ImportedHead:
    """Build the head of a job in its scene, select it, look at it, and make all that one step that can be undone.

    Args:
        job: what the head is called, and what was asked for.
        result: what the backend made.
        scene_name: scene in which the job was started; where it is gone, the one that is shown gets the head.
        photo: the photo that was sent.
        wanted: what to do with the head.

    Raises:
        RelightifyError: see `build_result`.
    """
    scene = bpy.data.scenes.get(scene_name) or bpy.context.scene
    done = build_result(scene, job, result, photo, wanted)
    select_alone(scene, done.head)
    if wanted.use_camera and not wanted.target:
        look_through_camera(scene)
    push_undo("Reconstruct Face")
    return done


def build_result(
    scene: bpy.types.Scene, job: Job, result: Result, photo: PhotoSource, wanted: ImportOptions
) -> ImportedHead:
    """Build the head of a finished job in a scene, in the place of an older one where asked.

    Raises:
        RelightifyError: ``bad_result`` where a map is missing, or what `import_head` raises.
    """
    maps = {key: bytes(value) for key, value in result.maps.items()}
    old = next((c for c in scene.collection.children_recursive if c.name == wanted.target), None)
    if old is not None:
        forget_samples(old)
    try:
        new = import_head(
            scene,
            job.name,
            result.mesh,
            maps,
            # The backend sends the photo along where it had to turn or convert it.
            maps.get("photo", photo.data),
            use_camera=wanted.use_camera,
            use_light=wanted.use_light,
            parts=wanted.parts,
            original=photo.data,
            options={k: v for k, v in asdict(job.options).items() if v is not None},
        )
    except KeyError as error:
        raise RelightifyError(
            "bad_result", f"The backend's result has no {error}.", "Use the add-on and the backend of the same release."
        ) from error
    if wanted.use_light:
        adopt_photo_light(scene)
    done = replace_head(old, new) if old is not None and is_head_collection(old) else new
    keep_extra_maps(done.collection, done.head.name, maps)
    keep_samples(done.collection, maps)
    return done
