"""How the head of a finished job arrives in the scene: built, in an older one's place where asked, and looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import bpy

from ..._shared import RelightifyError, Result
from ...anatomy.parts import FULL
from ...anatomy.prepared import PreparedHead, prepare_head
from ...link.jobs import Job
from ...scene.default_scene import hide_default_objects
from ...scene.heads import ImportedHead, heads_of, require_own, units_per_metre
from ...scene.importer import import_head
from ...scene.photos.head_photos import add_photos, kept_photos, named
from ...scene.photos.photo_source import PhotoSource, photo_key
from ...scene.renewing.head_fit import keep_fit
from ...scene.renewing.replacing import replace_head
from ...scene.skin.extra_maps import keep_extra_maps
from ...scene.skin.samples import forget_samples, keep_samples
from ...skeleton.armature import add_skeleton, leave_lent_armature, renew_skeleton
from ..properties.light import adopt_photo_light
from ..viewport import frame_selected, layer_of, look_through_camera, push_undo, select_alone, show_materials


@dataclass(frozen=True)
class ImportOptions:
    """What to do with a finished head.

    Args:
        use_camera: add the photo's camera.
        use_light: light the scene as the photo is lit, where the stage is set.
        use_stage: set the scene's camera, frame and light for this head even if there are heads already.
        parts: `parts.FULL` or `parts.SKIN`.
        use_skeleton: give a new head a skeleton; one that is renewed keeps its own, or none.
        target: session number (`ID.session_uid`) of the head that is to be renewed; 0 for a new head.
        one_of_many: leave the selection alone where there are heads already: the artist works on one of them.
    """

    use_camera: bool = True
    use_light: bool = True
    use_stage: bool = False
    parts: str = FULL
    use_skeleton: bool = True
    target: int = 0
    one_of_many: bool = False


def prepare(result: Result) -> PreparedHead:
    """Do of a result what needs no Blender; may be called from any thread."""
    return prepare_head(result.mesh)


def bring_in(
    job: Job,
    result: Result,
    prepared: PreparedHead,
    *,
    scene_uid: int,
    photos: Sequence[PhotoSource],
    wanted: ImportOptions,
) -> ImportedHead:
    """Build the head of a job in its scene, select it, look at it, and make all that one step that can be undone.

    Args:
        job: what the head is called, and what was asked for.
        result: what the backend made.
        prepared: what `prepare` has made of it.
        scene_uid: session number of the scene in which the job was started; where that is gone, the one that is shown
            gets the head.
        photos: the photos that were sent.
        wanted: what to do with the head.

    Raises:
        RelightifyError: see `build_result`.
    """
    scene = next((s for s in bpy.data.scenes if s.session_uid == scene_uid), bpy.context.scene)
    is_first = not heads_of(scene)
    done = build_result(scene, job, result, prepared, photos, wanted)
    if is_first or not wanted.one_of_many:
        select_alone(scene, done.head)
    if is_first:
        done = show_first(scene, done)
    elif wanted.use_stage and scene.camera == done.camera:
        look_through_camera(scene)
    push_undo("Reconstruct Face")
    said = [named(sentence, photos) if len(photos) > 1 else sentence for sentence in result.warnings]
    return replace(done, warnings=(*said, *done.warnings))


def show_first(scene: bpy.types.Scene, done: ImportedHead) -> ImportedHead:
    """Let the artist see the first head of a scene: alone, in the middle of the view, with its skin."""
    hidden = hide_default_objects(layer_of(scene))
    if done.camera is not None and scene.camera == done.camera:
        look_through_camera(scene)
    else:
        frame_selected(scene)
    show_materials(scene)
    if not hidden:
        return done
    names = " and ".join(thing.name for thing in hidden)
    text = f"{names} of Blender's default scene {'are' if len(hidden) > 1 else 'is'} hidden."
    return replace(done, warnings=(*done.warnings, text))


def build_result(
    scene: bpy.types.Scene,
    job: Job,
    result: Result,
    prepared: PreparedHead,
    photos: Sequence[PhotoSource],
    wanted: ImportOptions,
) -> ImportedHead:
    """Build the head of a finished job in a scene, in the place of an older one where asked.

    Raises:
        RelightifyError: ``bad_result`` where a map is missing, ``linked_head``, or what `import_head` raises.
    """
    maps = {key: bytes(value) for key, value in result.maps.items()}
    old = next((head for head in heads_of(scene) if head.session_uid == wanted.target), None)
    if old is not None:
        require_own(old)
    set_stage = wanted.use_stage or not heads_of(scene)
    photo = photos[0]
    try:
        # The first one may have been left out.
        shown = photos[int(result.info["photos"][0]["number"]) - 1] if len(photos) > 1 else photo
        new = import_head(
            scene,
            job.name,
            result.mesh,
            maps,
            # The backend sends the photo along where it had to turn or convert it.
            maps.get("photo", shown.data),
            use_camera=wanted.use_camera,
            use_light=wanted.use_light,
            parts=wanted.parts,
            original=photo.data,
            options={k: v for k, v in asdict(job.options).items() if v is not None},
            set_stage=set_stage,
            prepared=prepared,
        )
        if len(photos) > 1:
            said = add_photos(new, photos, result, units_per_metre(scene), use_camera=wanted.use_camera)
            new = replace(new, warnings=tuple(dict.fromkeys((*new.warnings, *said))))
    except (KeyError, IndexError) as error:
        raise RelightifyError(
            "bad_result", f"The backend's result has no {error}.", "Use the add-on and the backend of the same release."
        ) from error
    if set_stage and wanted.use_light:
        adopt_photo_light(scene)
    done = new
    if old is not None:
        forget_samples(old)
        hung_on_another = leave_lent_armature(old)
        done = replace_head(scene, old, new)
        renew_skeleton(done.head)
        if hung_on_another:
            add_skeleton(scene, done.head)
    elif wanted.use_skeleton:
        add_skeleton(scene, done.head)
    keep_fit(done.head, result.info)
    keep_extra_maps(done.head, maps)
    keep_samples(done.head, maps)
    tell_list(scene, photos, done.head)
    return done


def tell_list(scene: bpy.types.Scene, photos: Sequence[PhotoSource], head: bpy.types.Object) -> None:
    """Say at each photo of the panel's list what came of it."""
    told = {photo.key: one for photo, one in zip(photos, kept_photos(head), strict=False)}
    for item in scene.relightify.photos:
        one = told.get(photo_key(item.path, None))
        if one is not None:
            item.left_out, item.note = not one.used, "\n".join(one.notes)
