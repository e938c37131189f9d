"""The method (paper, section 3): photos -> fit -> unwrap -> delight -> complete -> detail -> maps and light."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

import numpy as np

from backend import memory
from backend.delight.delighting import DelightedTexture, SkinChoices, delight
from backend.delight.refit import refit_light
from backend.detail.options import DetailOptions
from backend.detail.parameters import DetailParameters
from backend.detail.stage import add_detail
from backend.device import choose_device
from backend.head.exchange import head_mesh
from backend.head.expected_skin import expected_skin
from backend.head.fitting import fit_head
from backend.head.head_fit import HeadFit
from backend.head.model import HeadModel, load_head_model
from backend.imaging.preview import map_preview
from backend.parameters import Parameters
from backend.photo.face_checks import noise_warnings, shows_no_colour
from backend.photo.face_detector import FaceDetector
from backend.photo.preview import landmarks_preview
from backend.photo.skin.segmentation import load_segmenter
from backend.photo.skin.skin_mask import skin_mask
from backend.photo.view import View, find_view
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
from backend.texture.fitted_skin import FittedSkin
from backend.texture.maps import PartialTexture, SkinMaps, merge
from backend.texture.super_resolution import load_enlargers
from backend.texture.unwrap import unwrap
from backend.texture.uv_space import UVSpace, uv_space
from shared.errors import RelightifyError
from shared.options import JobOptions, Reflectance

_log = logging.getLogger(__name__)


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
        self.model: HeadModel = load_head_model()
        self.detector = FaceDetector()
        self.segmenter = load_segmenter(parameters.photo.segmentation)
        self.rasteriser: Rasteriser = choose_rasteriser(self.device)
        self.coarse = shipped_prior(self.model)
        self.albedo = None if self.coarse is None else vertex_albedo(self.coarse.albedo, self.model)
        self.priors: dict[str, Prior] = available_priors(self.model, self.device, parameters.prior)
        self.enlargers = load_enlargers()
        self._uv_spaces: dict[int, UVSpace] = {}

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
        """The skin's texels at a resolution; of the large ones only the last is kept."""
        if resolution not in self._uv_spaces:
            self._uv_spaces = {r: space for r, space in self._uv_spaces.items() if r <= 1024}
            self._uv_spaces[resolution] = uv_space(self.model, resolution)
        return self._uv_spaces[resolution]

    def reconstruct(
        self,
        photos: bytes | Sequence[bytes],
        options: JobOptions,
        progress: Progress,
        guidance: Sequence[GuidanceTerm] = (),
    ) -> Reconstruction:
        """Reconstruct the face in a photo.

        Args:
            photos: the bytes of an image file, or of several of one person; today one.
            options: what the user chose.
            progress: told about stages, the overall fraction and previews; raises when the user cancels.
            guidance: what else sampled completions should agree with; see `backend.prior.interface`.

        Raises:
            RelightifyError: the photo, the face or an option cannot be used; the message says why.
            JobCancelled: the user asked to stop.
        """
        prior = self.prior(options.quality)
        require_able(prior, options.quality, options.samples, options.reflectance)
        seeds = range(options.seed, options.seed + options.samples)
        watch = Stopwatch(progress)
        memory.reset_peak()

        views, skin, seen = self.prepare(photos, options.resolution, options.face, watch)
        with watch.stage("delight") as report:
            white = white_cue(views[0].photo, views[0].face.landmarks_px, self.parameters.photo.white_cue)
            choices = SkinChoices(options.skin_tone, options.keep_marks, options.skin_hue)
            delit = delight(seen, skin, white, choices, self.parameters.delight)
            report.report(1.0)
        detail = DetailOptions(options.detail_strength, options.extra_maps, options.age)
        chosen = self.parameters.detail
        finished = finished_maps(prior, delit, seeds, detail, watch, guidance, chosen, options.reflectance)
        maps = next(finished)
        further = tuple(
            FurtherSample(seed, sample.encode(), refit_light(skin, sample, self.parameters.delight.light).light)
            for seed, sample in zip(seeds[1:], finished, strict=True)
        )
        with watch.stage("light") as report:
            fit = refit_light(skin, maps, self.parameters.delight.light)
            mesh = head_mesh(self.model, fit, views[0], self.parameters.photo.iris)
            report.report(1.0, map_preview(maps.diffuse_albedo_srgb))
        progress.named("done").report(1.0)
        _log.info("Reconstructed in %.1f s.", sum(watch.seconds.values()))
        face, peak = views[0].face, memory.peak_bytes()
        warnings = self.warnings_of(views[0], seen, delit)
        return Reconstruction(mesh, maps, fit, face, options, warnings, watch.seconds, peak, further)

    def prepare(
        self, photos: bytes | Sequence[bytes], resolution: int, face: int | None, watch: Stopwatch
    ) -> tuple[list[View], FittedSkin, PartialTexture]:
        """The stages up to the partial texture: what a prior is given, but for delighting.

        Args:
            photos: the bytes of an image file, or of several.
            resolution: side of the maps wanted, texels.
            face: which face of the photo, None for the largest.
            watch: times the stages `photo`, `fit` and `unwrap`.

        Raises:
            RelightifyError: a photo or its face cannot be used.
            JobCancelled: the user asked to stop.
        """
        with watch.stage("photo") as report:
            report.report(0.0)
            views = [
                find_view(data, self.detector, face, self.segmenter, self.parameters.photo)
                for data in ([photos] if isinstance(photos, bytes) else photos)
            ]
            report.report(1.0, landmarks_preview(views[0].photo, views[0].face))
        with watch.stage("fit") as report:
            fit = fit_head(
                self.model, views, self.rasteriser, report, albedo_prior=self.albedo, settings=self.parameters.head
            )
        with watch.stage("unwrap") as report:
            report.report(0.0)
            space, transfer = self.uv_space(resolution), self.model.radiance_transfer(fit.vertices(self.model))
            skin = FittedSkin(self.model, fit, space, transfer)
            seen = merge([self._seen_in(view, fit.seen_in(number), skin) for number, view in enumerate(views)])
            report.report(1.0, map_preview(seen.texture_srgb, seen.visibility))
        return views, skin, seen

    def skin_mask_of(self, view: View, fit: HeadFit, skin: FittedSkin) -> np.ndarray:
        """Which pixels of a photo show the person's skin, float32 [H, W] in [0, 1]."""
        expected = expected_skin(self.model, fit, skin.transfer, self.rasteriser, self.parameters.head)
        return skin_mask(view.photo, view.face, *expected, self.parameters.photo.skin_mask, view.segmentation)

    def warnings_of(self, view: View, seen: PartialTexture, delit: DelightedTexture) -> tuple[str, ...]:
        """What the user is told of a photo, of its face, its noise and its light."""
        return (*view.face.warnings, *noise_warnings(seen.sharpness, self.parameters.photo.warnings), *delit.warnings)

    def _seen_in(self, view: View, fit: HeadFit, skin: FittedSkin) -> PartialTexture:
        """What one photo shows of the skin, T_0 and m."""
        photo, face, chosen = view.photo, view.face, self.parameters
        mask = self.skin_mask_of(view, fit, skin)
        partial = unwrap(photo, mask, self.model, fit, self.rasteriser, skin.uv_space, self.enlargers, chosen.unwrap)
        if self.coarse and shows_no_colour(photo.image_srgb, face.landmarks_px, chosen.photo.warnings):
            return coloured(self.coarse, partial, chosen.prior.estimate)
        return partial


def finished_maps(
    prior: Prior,
    delit: DelightedTexture,
    seeds: Sequence[int],
    detail: DetailOptions,
    watch: Stopwatch,
    guidance: Sequence[GuidanceTerm] = (),
    parameters: DetailParameters = DetailParameters(),
    reflectance: Reflectance = "photo",
) -> Iterator[SkinMaps]:
    """Complete the maps (eq. 9) and add their detail, for each seed in order.

    Args:
        prior: completes.
        delit: what was seen.
        seeds: one a completion.
        detail: how detail is made.
        watch: times the stages `complete` and `detail`.
        guidance: for priors that sample.
        parameters: of the detail stage.
        reflectance: where A_d, A_s and N come from.

    Raises:
        JobCancelled: the user asked to stop.
    """
    completions = prior.complete(delit, seeds, watch.progress.of("complete"), guidance, reflectance)
    for number, seed in enumerate(seeds, 1):
        with watch.stage("complete"):
            completed = next(completions)
        with watch.stage("detail") as report:
            part = report.part((number - 1) / len(seeds), number / len(seeds))
            finished = add_detail(completed, delit, seed, detail, parameters, progress=part)
            part.report(1.0)
        yield finished
