"""The fit of the head model to photos (paper, section 3.3, eq. 8): landmarks first, then shading.

The scale of a head cannot be seen in photos; the model's own size (interpupillary distance 63 mm) settles it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from backend.head.confidence import fit_confidence
from backend.head.face_parts import FaceParts, face_parts
from backend.head.head_fit import HeadFit, ViewFit
from backend.head.landmarks.focal_check import fit_with_focal
from backend.head.landmarks.landmark_fit import landmark_errors
from backend.head.landmarks.landmark_solve import FitParameters
from backend.head.model import HeadModel
from backend.head.parameters import HeadFitParameters
from backend.head.several.profile_fit import eye_distance_px, placed, profile_tools, profile_view
from backend.head.several.shared_fit import LandmarkStart, agreeing, landmarks_together, refine_together
from backend.head.several.turned_landmarks import TurnedLandmarks
from backend.head.shading.albedo_basis import AlbedoBasis, region_albedo
from backend.head.shading.compared_skin import ComparedSkin, compared_skin
from backend.head.shading.photometric import Refined, Scene, refine
from backend.head.shading.reduced_photo import reduce_face
from backend.imaging.arrays import Array, average, like, namespace
from backend.photo.face_detector import Face
from backend.photo.landmark_table import interocular_px
from backend.photo.profile_outline import Profile
from backend.photo.view import View
from backend.progress import Progress
from backend.rendering.rasteriser import Rasteriser
from backend.rendering.shading import ambient_occlusion
from backend.side_by_side import each
from shared.errors import RelightifyError
from shared.photos import MOST_PHOTOS


@dataclass(frozen=True)
class FaceAreas:
    """Areas of a head model that every fit looks at, the same for all photos.

    Args:
        region: the skin that is compared.
        parts: of the face, for which it is told how sure the fit is.
    """

    region: ComparedSkin
    parts: FaceParts

    def on_device(self, device: str) -> FaceAreas:
        """The same with the compared skin on a device, where shading is fitted then; `cpu` is the host."""
        return replace(self, region=self.region.on_device(device))


def face_areas(model: HeadModel, settings: HeadFitParameters = HeadFitParameters()) -> FaceAreas:
    """The areas of a head model."""
    return FaceAreas(compared_skin(model, settings.photometric), face_parts(model, settings.parts))


@dataclass(frozen=True)
class _Given:
    """What the fits of all photos share; see `fit_head`."""

    model: HeadModel
    rasteriser: Rasteriser
    areas: FaceAreas
    albedo: AlbedoBasis
    settings: HeadFitParameters


def fit_head(
    model: HeadModel,
    views: Sequence[View | Profile],
    rasteriser: Rasteriser,
    progress: Progress,
    albedo_prior: AlbedoBasis | None = None,
    skin: np.ndarray | None = None,
    settings: HeadFitParameters = HeadFitParameters(),
    areas: FaceAreas | None = None,
    turned: TurnedLandmarks | None = None,
    device: str = "cpu",
) -> HeadFit:
    """Fit identity, and by view expression, camera and light, to the photos.

    Photos of one person are first fitted each for itself, then together. One that contradicts the others is left out:
    `HeadFit.numbers` says which photos the fit's views are of. The first is never left out, and shows a face. Photos in
    full profile join when the others have a head for them.

    Args:
        model: the head model.
        views: upright photos of the person with landmarks and expression scores, profiles after them.
        rasteriser: either engine.
        progress: told about the steps; raises `shared.errors.JobCancelled`.
        albedo_prior: a learned coarse albedo at the vertices; None takes `coarse_albedo.region_albedo`.
        skin: float [H, W], 1 on skin, where a mask of the only photo is known already; None takes what a view knows to
            be bare where something covers the face, and relies on the robust loss alone elsewhere.
        settings: the stage's chosen numbers.
        areas: `face_areas` of the model, where they are at hand.
        turned: what is taken off the landmarks of turned faces, where there are several photos.
        device: where photos are compared with shaded skin. Landmarks, the rasteriser and the steps of Levenberg and
            Marquardt, of some hundred unknowns in double precision, stay on the host.

    Raises:
        RelightifyError: `no_pose`, the landmarks do not form a face seen from outside; `too_many_photos`.
    """
    if not 1 <= len(views) <= MOST_PHOTOS:
        raise RelightifyError(
            "too_many_photos",
            f"A head is made from one to {MOST_PHOTOS} photos, not from {len(views)}.",
            "Choose those that are sharp and show the face from different sides.",
        )
    progress.report(0.0)
    faces = [view for view in views if isinstance(view, View)]
    part = 0.3 / len(faces)
    turned = turned if len(views) > 1 else None
    starts = [
        _landmarks(model, view, progress.part(part * i, part * (i + 1)), settings, turned)
        for i, view in enumerate(faces)
    ]
    progress.report(0.3)
    areas, albedo = areas or face_areas(model, settings), albedo_prior or region_albedo(model)
    given = _Given(model, rasteriser, areas.on_device(device), albedo.on_device(device), settings)
    if len(views) == 1:
        scene = _scene(given, faces[0], starts[0], skin)
        progress.report(0.4)
        refined = refine(scene, starts[0].parameters, progress=progress.part(0.4, 0.9))
        progress.report(0.9)
        return _head_fit(given, faces, starts, [scene], [refined], (0,))
    numbers, together = (0,), starts
    if len(faces) > 1:
        numbers, together = agreeing(model, starts, progress.part(0.3, 0.4), settings.landmarks, settings.shared)
    kept = [faces[n] for n in numbers]
    profiles = [view for view in views if isinstance(view, Profile)]
    if profiles:
        joined, together = _with_profiles(given, profiles, kept, together, progress.part(0.4, 0.5))
        numbers = (*numbers, *(len(faces) + n for n in joined))
        for start, number in zip(together[len(kept) :], joined, strict=True):
            kept.append(_profile_view(model, profiles[number], start, start.parameters))
    if len(kept) == 1:
        scene = _scene(given, kept[0], together[0], skin)
        refined = [refine(scene, together[0].parameters, progress=progress.part(0.5, 0.9))]
        return _head_fit(given, kept, together, [scene], refined, numbers)
    coarser = replace(settings.photometric, face_px=settings.shared.face_px)
    given = replace(given, settings=replace(settings, photometric=coarser))
    scenes = each(lambda pair: _scene(given, *pair, None), zip(kept, together, strict=True))
    progress.report(0.5)
    refined = refine_together(scenes, [start.parameters for start in together], progress.part(0.5, 0.9))
    progress.report(0.9)
    return _head_fit(given, kept, together, scenes, refined, numbers)


def fitted_views(model: HeadModel, views: Sequence[View | Profile], fit: HeadFit) -> list[View]:
    """The views of a fit among those that it was given; in profiles, the face is where the fitted head has it."""
    found = []
    for index, number in enumerate(fit.numbers):
        view, own = views[number], fit.seen_in(index)
        if isinstance(view, Profile):
            view = profile_view(model, view, own.vertices(model), own.expression, own.camera)
        found.append(view)
    return found


def _with_profiles(
    given: _Given,
    profiles: Sequence[Profile],
    views: Sequence[View],
    faces: Sequence[LandmarkStart],
    progress: Progress,
) -> tuple[tuple[int, ...], list[LandmarkStart]]:
    """The profiles that are of the head which photos of the face have, by number, and all photos fitted together."""
    settings = given.settings
    tools = profile_tools(given.model, given.rasteriser, settings.landmarks, settings.profile)
    joined, starts = [], list(faces)
    for number, profile in enumerate(profiles):
        start = placed(tools, profile, faces, [view.photo for view in views], settings.landmarks)
        if start is not None:
            joined.append(number)
            starts.append(start)
    if joined:
        starts = landmarks_together(given.model, starts, progress, settings.landmarks, settings.shared, tools)
    return tuple(joined), starts


def _profile_view(model: HeadModel, profile: Profile, start: LandmarkStart, at: FitParameters) -> View:
    camera = at.camera(start.problem.centre_px, start.width, start.height)
    return profile_view(model, profile, model.shape(at.identity, at.expression), at.expression, camera)


def _landmarks(
    model: HeadModel, view: View, progress: Progress, settings: HeadFitParameters, turned: TurnedLandmarks | None = None
) -> LandmarkStart:
    """One photo fitted for itself, to its landmarks alone."""
    photo, face = view.photo, view.face

    def fitted(landmarks_px: np.ndarray, part: Progress) -> LandmarkStart:
        given = (model, landmarks_px, face.expression, photo.width, photo.height, photo.focal_px, part)
        return LandmarkStart(*fit_with_focal(*given, settings=settings.landmarks), photo.width, photo.height)

    if turned is None:
        return fitted(face.landmarks_px, progress)
    at = fitted(face.landmarks_px, progress.part(0.0, 0.5)).parameters
    straight = turned.straightened(face.landmarks_px, at.rotation, float(np.exp(at.log_scale)))
    return fitted(straight, progress.part(0.5, 1.0))


def _scene(given: _Given, view: View, start: LandmarkStart, skin: np.ndarray | None) -> Scene:
    """What stays the same while a photo is compared with shaded skin."""
    chosen = given.settings.photometric
    bare = view.bare_skin if skin is None else skin
    region = given.areas.region
    reduced = reduce_face(view.photo.image_srgb, view.face.landmarks_px, bare, chosen, region.mean)
    fitted = given.model.shape(start.parameters.identity, start.parameters.expression)
    occlusion = like(ambient_occlusion(fitted, region.triangles, chosen.occlusion_rays), region.mean)
    return Scene(start.problem, region, given.albedo, occlusion, reduced, given.rasteriser, chosen)


def _head_fit(
    given: _Given,
    views: Sequence[View],
    starts: Sequence[LandmarkStart],
    scenes: Sequence[Scene],
    refined: Sequence[Refined],
    numbers: tuple[int, ...],
) -> HeadFit:
    """What later stages need of the fits, all of one identity."""
    fitted = tuple(_view_fit(given, *one) for one in zip(views, starts, refined, strict=True))
    confidence = fit_confidence(given.model, given.areas.parts, scenes, refined, fitted, given.settings.confidence)
    identity = refined[0].parameters.identity.astype(np.float32)
    return HeadFit(identity, fitted, numbers, confidence=confidence)


def _view_fit(given: _Given, view: View, start: LandmarkStart, refined: Refined) -> ViewFit:
    photo, face = view.photo, view.face
    parameters = refined.parameters
    camera = parameters.camera(start.problem.centre_px, photo.width, photo.height)
    errors = landmark_errors(given.model, parameters, camera, face.landmarks_px)
    return ViewFit(
        expression=parameters.expression.astype(np.float32),
        camera=camera,
        light=refined.lighting.light.astype(np.float32),
        skin_albedo=mean_skin_albedo(given.albedo, refined.lighting.albedo, given.areas.region.weight),
        iod_px=_eye_distance(given.model, face, start, parameters),
        landmark_error=float(errors.mean()),
        landmark_errors=errors.astype(np.float32),
        photometric_before=refined.error_before,
        photometric_after=refined.error_after,
        focal_known=start.focal_known,
    )


def _eye_distance(model: HeadModel, face: Face, start: LandmarkStart, at: FitParameters) -> float:
    if start.outline is None:
        return interocular_px(face.landmarks_px)
    return eye_distance_px(model, model.shape(at.identity, at.expression), float(np.exp(at.log_scale)))


def mean_skin_albedo(albedo: AlbedoBasis, coefficients: np.ndarray, weight: Array) -> np.ndarray:
    """Mean albedo float32 [3], linear RGB, of the vertices with weights [V] for coefficients [K]."""
    xp = namespace(albedo.basis)
    at_vertices = albedo.mean + xp.tensordot(like(coefficients, albedo.basis), albedo.basis, axes=1)
    return average(xp.maximum(at_vertices, 0.0), weight).astype(np.float32)
