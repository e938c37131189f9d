"""The method (paper, section 3): photos -> fit -> unwrap -> delight -> complete -> detail -> maps and light."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from backend import memory
from backend.delight.delighting import DelightedTexture, SkinChoices, delight
from backend.delight.merging import merged
from backend.delight.refit import refit_further_lights, refit_light
from backend.detail.on_device import delit_on, maps_back, maps_on
from backend.detail.options import DetailOptions
from backend.detail.parameters import DetailParameters
from backend.detail.stage import add_detail
from backend.device import choose_device
from backend.head.confidence_words import confidence_warnings
from backend.head.correction.corrections import Corrector
from backend.head.exchange import head_mesh
from backend.head.fitting import face_areas, fit_head, fitted_views
from backend.head.head_fit import HeadFit
from backend.head.model import HeadModel, load_head_model
from backend.head.several.turned_landmarks import load_turned_landmarks
from backend.head.shading.expected_skin import expected_skin
from backend.identity.one_person import person_views
from backend.identity.strangers import find_embedder
from backend.imaging.preview import map_preview
from backend.parameters import Parameters
from backend.photo.face_checks import noise_warnings, shows_no_colour
from backend.photo.face_detector import FaceDetector
from backend.photo.preview import landmarks_preview
from backend.photo.profile_outline import Profile
from backend.photo.skin.segmentation import load_segmenter
from backend.photo.skin.skin_mask import skin_mask
from backend.photo.view import View, look_around
from backend.photo.white_cue import white_cue
from backend.prior.available import available_priors
from backend.prior.interface import GuidanceTerm, Prior, require_able
from backend.prior.linear.colouring import coloured
from backend.prior.linear.factor_model import shipped_prior
from backend.prior.linear.vertex_albedo import vertex_albedo
from backend.progress import Progress, Stopwatch
from backend.reconstruction import FurtherSample, Reconstruction
from backend.rendering.nvdiffrast_rasteriser import choose_rasteriser
from backend.rendering.rasteriser import Rasteriser
from backend.side_by_side import in_order, side_by_side, usable_cores
from backend.texture.fitted_skin import FittedSkin, ShownSkin, SkinTexels
from backend.texture.maps import SkinMaps
from backend.texture.super_resolution import load_enlargers
from backend.texture.unwrap import Sight, line_of_sight, unwrap
from backend.texture.uv_space import UVSpace, uv_space
from shared.corrections import Corrections
from shared.errors import RelightifyError
from shared.options import JobOptions, Reflectance
from shared.photos import photo_name

if TYPE_CHECKING:
    from backend.identity.embedder import FaceEmbedder

_log = logging.getLogger(__name__)

# What a photo is left out for by the fit, by whether it shows a face.
_MISFIT = {
    True: "does not fit the others",
    False: "shows no face, and no profile of the head that the others show",
}


class Pipeline:
    """Holds what stays warm between jobs: the head model, the face detector, the rasteriser and the priors.

    Jobs run one at a time from one thread; nothing of a job is kept but the texture spaces of the resolutions used.
    """

    def __init__(self, device: str = "auto", parameters: Parameters = Parameters()) -> None:
        """Load everything that every job needs.

        Args:
            device: ``auto`` (CUDA where it works, else the CPU), ``cpu``, ``cuda`` or ``mps``.
            parameters: the method's chosen numbers.

        Raises:
            RelightifyError: ``bad_option``, ``no_cuda``, ``no_mps``, or the face landmark model cannot be had.
        """
        self.device, self.parameters = choose_device(device), parameters
        # Loading the photo's networks is mostly done outside of Python.
        (self.detector, self.segmenter), _ = side_by_side(
            lambda: (FaceDetector(), load_segmenter(parameters.photo.segmentation)), self._load_heads
        )
        self.turned = load_turned_landmarks()
        self.rasteriser: Rasteriser = choose_rasteriser(self.device)
        self.enlargers = load_enlargers()
        self._texels: dict[int, SkinTexels] = {}
        self._loaded_embedder: FaceEmbedder | None = None

    def _load_heads(self) -> None:
        """Load what is known of heads and their skin."""
        self.model: HeadModel = load_head_model()
        self.areas = face_areas(self.model, self.parameters.head)
        self.corrector = Corrector.of(self.model, self.parameters.head)
        self.coarse = shipped_prior(self.model)
        self.albedo = None if self.coarse is None else vertex_albedo(self.coarse.albedo, self.model)
        self.priors: dict[str, Prior] = available_priors(self.model, self.device, self.parameters.prior)

    def prior(self, quality: str) -> Prior:
        """The prior behind a quality.

        Raises:
            RelightifyError: ``quality_unavailable``.
        """
        if quality not in self.priors:
            raise RelightifyError(
                "quality_unavailable",
                f"The quality {quality} is not available in this installation.",
                f"Use {' or '.join(self.priors)}.",
            )
        return self.priors[quality]

    def uv_space(self, resolution: int) -> UVSpace:
        """The skin's texels at a resolution."""
        return self.skin_texels(resolution).uv_space

    def skin_texels(self, resolution: int) -> SkinTexels:
        """The same with what is known of them for every head; of the large ones only the last is kept."""
        if resolution not in self._texels:
            self._texels = {r: texels for r, texels in self._texels.items() if r <= 1024}
            self._texels[resolution] = SkinTexels(self.model, uv_space(self.model, resolution))
        return self._texels[resolution]

    def reconstruct(
        self,
        photos: bytes | Sequence[bytes],
        options: JobOptions,
        progress: Progress,
        guidance: Sequence[GuidanceTerm] = (),
        further_faces: Sequence[int | None] = (),
        corrections: Corrections = Corrections(),
    ) -> Reconstruction:
        """Reconstruct the face in a photo, or in several of one person.

        Args:
            photos: the bytes of an image file, or of up to `shared.photos.MOST_PHOTOS` of one person; camera, light
                and expression of the head are the first's.
            options: what the user chose; `options.face` is of the first photo.
            progress: told about stages, the overall fraction and previews; raises when the user cancels.
            guidance: what else sampled completions should agree with; see `backend.prior.interface`.
            further_faces: which face of the second photo and those after it, None for the largest.
            corrections: points of the head that a hand has put where the first photo shows them.

        Raises:
            RelightifyError: the first photo, its face or an option cannot be used; the message says why.
            JobCancelled: the user asked to stop.
        """
        prior = self.prior(options.quality)
        require_able(prior, options.quality, options.samples, options.reflectance)
        seeds = range(options.seed, options.seed + options.samples)
        watch = Stopwatch(progress)
        memory.reset_peak()

        fitting = (options.face, *further_faces), watch, corrections
        skin, shown, left_out = self.prepare(photos, options.resolution, *fitting)
        with watch.stage("delight") as report:
            choices = SkinChoices(options.skin_tone, options.keep_marks, options.skin_hue)
            report.report(0.0)
            parts = []
            for part in in_order(lambda part: self._delit(part, choices), shown, self._at_once(options.resolution)):
                parts.append(part)
                report.report(len(parts) / len(shown))
            delit = merged(parts, skin, self.parameters.merge)
            report.report(1.0)
        detail = DetailOptions(options.detail_strength, options.extra_maps, options.age)
        chosen, chosen_light = self.parameters.detail, self.parameters.delight.light
        finished = finished_maps(prior, delit, seeds, detail, watch, guidance, chosen, options.reflectance, self.device)
        maps = next(finished)
        further = tuple(
            FurtherSample(seed, sample.encode(), refit_light(skin, sample, chosen_light).light)
            for seed, sample in zip(seeds[1:], finished, strict=True)
        )
        with watch.stage("light") as report:
            fit = refit_further_lights(refit_light(skin, maps, chosen_light), shown, maps, chosen_light)
            views = [part.view for part in shown]
            mesh = head_mesh(self.model, fit, views[0], self.parameters.photo, views[1:])
            report.report(1.0, map_preview(maps.diffuse_albedo_srgb))
        progress.named("done").report(1.0)
        _log.info("Reconstructed in %.1f s.", sum(watch.seconds.values()))
        peak, warnings = memory.peak_bytes(), (*left_out, *self.warnings_of(shown, delit))
        faces, seconds = tuple(part.view.face for part in shown), watch.seconds
        made = (mesh, maps, fit, faces, options, warnings, seconds, peak)
        return Reconstruction(*made, further, delit.shares, corrections, watch.processor_seconds)

    def prepare(
        self,
        photos: bytes | Sequence[bytes],
        resolution: int,
        faces: Sequence[int | None],
        watch: Stopwatch,
        corrections: Corrections = Corrections(),
    ) -> tuple[FittedSkin, list[ShownSkin], tuple[str, ...]]:
        """The stages up to the partial textures: what a prior is given, but for delighting.

        Args:
            photos: the bytes of an image file, or of several.
            resolution: side of the maps wanted, texels.
            faces: which face of each photo, None for the largest; may be shorter.
            watch: times the stages `photo`, `fit` and `unwrap`.
            corrections: see `reconstruct`.

        Returns:
            The skin of the head that all photos give, what each of them shows of it, and sentences about photos that
            were left out.

        Raises:
            RelightifyError: the first photo or its face cannot be used.
            JobCancelled: the user asked to stop.
        """
        with watch.stage("photo") as report:
            report.report(0.0)
            given = [photos] if isinstance(photos, bytes) else list(photos)
            chosen = self.parameters.photo
            embedder = self._embedder() if len(given) > 1 else None
            tools = self.detector, self.segmenter, embedder, report, chosen
            alone = len(given) == 1 and usable_cores() > 1
            person = person_views(given, faces, *tools, lone_later=alone)
            first = person.first
            report.report(1.0, landmarks_preview(first.photo, first.face))
        with watch.stage("fit") as report:
            if alone:
                seen, fit = self._fitted_alone(first, report)
            else:
                seen, fit = person.views, self._fitted(person.views, report)
            fit = self.corrector.begin(fit).corrected(corrections)
        views = fitted_views(self.model, seen, fit)
        badly = [(person.numbers[i], view) for i, view in enumerate(seen) if i not in fit.numbers]
        misfits = (f"{photo_name(n + 1)} {_MISFIT[isinstance(view, View)]}, so it is left out." for n, view in badly)
        left_out = (*person.warnings, *misfits)
        fit = replace(fit, numbers=tuple(person.numbers[i] for i in fit.numbers))
        with watch.stage("unwrap") as report:
            report.report(0.0)
            texels, shown = self.skin_texels(resolution), []
            # The first photo's skin has the fits to all of them.
            fitted = zip(views, (fit, *map(fit.seen_in, range(1, len(views)))), strict=True)
            for part in in_order(lambda seen: self._shown_by(*seen, texels), fitted, self._at_once(resolution)):
                shown.append(part)
                report.report(len(shown) / len(views))
            report.report(1.0, map_preview(shown[0].partial.texture_srgb, shown[0].partial.visibility))
        return shown[0].skin, shown, left_out

    def skin_mask_of(self, view: View, skin: FittedSkin) -> np.ndarray:
        """Which pixels of a photo show the person's skin, fitted to it, float32 [H, W] in [0, 1]."""
        expected = expected_skin(self.model, skin.fit, skin.transfer, self.rasteriser, self.parameters.head)
        return skin_mask(view.photo, view.face, *expected, self.parameters.photo.skin_mask, view.segmentation)

    def warnings_of(self, shown: Sequence[ShownSkin], delit: DelightedTexture) -> tuple[str, ...]:
        """What the user is told of photos, of their faces, their noise, the fit and their light."""
        of_faces = (warning for part in shown for warning in part.view.face.warnings)
        noisy = noise_warnings(delit.partial.sharpness, self.parameters.photo.warnings)
        unsure = confidence_warnings(shown[0].skin.fit, self.parameters.head.confidence)
        return (*of_faces, *noisy, *unsure, *delit.warnings)

    def _fitted(self, views: Sequence[View | Profile], progress: Progress) -> HeadFit:
        """The fit of the head to photos."""
        return fit_head(
            self.model,
            views,
            self.rasteriser,
            progress,
            albedo_prior=self.albedo,
            settings=self.parameters.head,
            areas=self.areas,
            turned=self.turned,
            device=self.device,
        )

    def _fitted_alone(self, view: View, progress: Progress) -> tuple[tuple[View], HeadFit]:
        """The fit to one photo, and this looked around meanwhile.

        The fit looks at what is about the face only where something covers it; it begins anew then.
        """
        fit, seen = side_by_side(
            lambda: self._fitted([view], progress.part(0.0, 0.9)),
            lambda: look_around(view, self.segmenter, self.parameters.photo),
        )
        if seen.bare_skin is not None:
            fit = self._fitted([seen], progress.part(0.9, 1.0))
        return (seen,), fit

    def _shown_by(self, view: View, fit: HeadFit, texels: SkinTexels) -> ShownSkin:
        """What a photo shows of the skin of the head that is fitted to it, T_0 and m."""
        photo, face, chosen = view.photo, view.face, self.parameters
        head = self.model, fit, self.rasteriser, texels.uv_space

        def masked() -> tuple[FittedSkin, np.ndarray]:
            skin = texels.of(fit, self.model.radiance_transfer(fit.vertices(self.model)))
            return skin, self.skin_mask_of(view, skin)

        def looked() -> tuple[Sight, bool]:
            grey = shows_no_colour(photo.image_srgb, face.landmarks_px, chosen.photo.warnings)
            return line_of_sight(*head, chosen.unwrap), grey

        (skin, mask), (sight, grey) = side_by_side(masked, looked)
        partial = unwrap(photo, mask, *head, self.enlargers, chosen.unwrap, sight, self.device)
        if self.coarse and grey:
            partial = coloured(self.coarse, partial, chosen.prior.estimate)
        return ShownSkin(view, skin, partial)

    def _delit(self, shown: ShownSkin, choices: SkinChoices) -> DelightedTexture:
        """What a photo shows, its own light taken off."""
        view = shown.view
        white = view.white or white_cue(view.photo, view.face.landmarks_px, self.parameters.photo.white_cue)
        return delight(shown.partial, shown.skin, white, choices, self.parameters.delight, self.device)

    def _at_once(self, resolution: int) -> int:
        """How many photos' textures are worked on at a time: of the largest, two would take too much memory."""
        return 1 if resolution >= self.parameters.unwrap.large_side else 2

    def _embedder(self) -> FaceEmbedder | None:
        """Tells people apart, where it is installed; loaded by the first job of several photos."""
        if self._loaded_embedder is None:
            self._loaded_embedder = find_embedder()
        return self._loaded_embedder


def finished_maps(
    prior: Prior,
    delit: DelightedTexture,
    seeds: Sequence[int],
    detail: DetailOptions,
    watch: Stopwatch,
    guidance: Sequence[GuidanceTerm] = (),
    parameters: DetailParameters = DetailParameters(),
    reflectance: Reflectance = "photo",
    device: str = "cpu",
) -> Iterator[SkinMaps]:
    """Complete the maps (by eq. 9 where a network draws) and add their detail, for each seed in order.

    Args:
        prior: completes.
        delit: what was seen.
        seeds: one a completion.
        detail: how detail is made.
        watch: times the stages `complete` and `detail`.
        guidance: for priors that sample.
        parameters: of the detail stage.
        reflectance: where A_d, A_s and N come from.
        device: where detail is made; there go those of its images that are not there, and the finished maps come back
            once.

    Raises:
        JobCancelled: the user asked to stop.
    """
    completions = prior.complete(delit, seeds, watch.progress.of("complete"), guidance, reflectance)
    seen = delit_on(delit, device)
    for number, seed in enumerate(seeds, 1):
        with watch.stage("complete"):
            completed = next(completions)
        with watch.stage("detail") as report:
            part = report.part((number - 1) / len(seeds), number / len(seeds))
            finished = maps_back(add_detail(maps_on(completed, device), seen, seed, detail, parameters, progress=part))
            part.report(1.0)
        yield finished
