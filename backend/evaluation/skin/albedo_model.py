"""The table `albedo-model`: held-out albedos by per-channel PCA, with and without the detail stage.

Once by the number of components, and once as the ablation of UVAPM has it (Dai et al., "High-quality facial albedo
generation", table 2): 100 components a channel, by the side of the coarse map.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from backend.asset_files import SOURCES
from backend.delight.delighting import DelightedTexture
from backend.delight.robust import robust_tone
from backend.detail.options import DetailOptions
from backend.detail.stage import add_detail
from backend.evaluation import metrics
from backend.evaluation.cg_heads import check_heads, correspondence, truth
from backend.evaluation.face_features import ABSENT, FeatureNet, feature_distance, load_features
from backend.evaluation.parameters import AlbedoModelSettings, OrbitSettings
from backend.evaluation.skin.pseudo_truth import portrait_truths
from backend.evaluation.subjects import (
    RESOLUTION,
    add_portraits_argument,
    heldout_records,
    orbit_camera,
    portraits_folder,
)
from backend.evaluation.tables import (
    Row,
    Table,
    conditions_of,
    gain_over_people,
    mean_of,
    verdict,
    write_figure,
    write_table,
)
from backend.head.head_fit import HeadFit, ViewFit
from backend.head.model import HeadModel, load_head_model
from backend.imaging.colour import linear_to_srgb, srgb_to_linear
from backend.imaging.filters import enlarge, masked_reduce
from backend.photo.landmark_table import LANDMARK_COUNT
from backend.prior.interface import CompletedMaps
from backend.prior.linear import cosine
from backend.prior.linear.factor_model import AlbedoPca
from backend.texture.fitted_skin import FittedSkin
from backend.texture.maps import PartialTexture, SkinMaps
from backend.texture.regions import face_regions, plain_skin
from backend.texture.uv_space import UVSpace, uv_space
from backend.training.priors.linear import albedo_pca
from backend.training.skin.pack import PACK, SkinPack, load_pack
from backend.training.stream.skin_stream import SkinStream
from shared.paths import cache_folder

log = logging.getLogger(__name__)

WANTED_GAIN_DB = 2.0
DARKEST = 4e-3  # linear, below what skin or hair can have
PROTOCOL = """Diffuse albedos of people in no prior on 512 x 512 texels: CG heads, and pseudo-ground truth of portraits
where they were seen. Per-channel PCA of the linear albedo of {samples} samples of the training stream, as cosines of up
to 128 half waves; the coefficients are fitted to the albedo itself, so that no photo and no light comes between. A name
is the number of components of each channel, and the side of the coarse map where it is not the one at which the band
ends, 128 x 128. `+ detail`: then the detail stage, which is given the same albedo as if a photo had shown it and makes
nothing up; `A_d` is the albedo that it gives, `T` the texture, in which all of the seen detail stays. On known texels
of the face, sRGB: MSE in squared 8-bit levels, PSNR, SSIM; `features` is 1 - cosine of EfficientNet-Lite0's pooled
features. UVAPM, on other people, with 100 components a channel and detail by a trained generator: PSNR 31.1, 33.7 and
36.7 dB with coarse maps of 64, 128 and 256 texels a side, 38.6, 35.0 and 39.5 dB with detail.
"""


@dataclass(frozen=True)
class KnownAlbedo:
    """An albedo to be described.

    Args:
        condition: what kind of truth it is.
        name: of the person.
        albedo_srgb: float32 [R, R, 3].
        known: bool [R, R].
    """

    condition: str
    name: str
    albedo_srgb: np.ndarray
    known: np.ndarray


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `relightify evaluate albedo-model`."""
    add_portraits_argument(parser)
    parser.add_argument("--heads", type=Path, default=None, metavar="DIR", help="CG heads: a folder with index.json")
    parser.add_argument("--only", choices=("heads", "portraits"), default=None, help="one kind of held-out albedo")
    parser.add_argument("--people", choices=("train", "heldout"), default="heldout", help="train: some, left out")


def run(options: argparse.Namespace, settings: AlbedoModelSettings = AlbedoModelSettings()) -> int:
    """Describe every albedo by every model; write table and figures.

    Raises:
        RelightifyError: `no_photos`, `no_heads`.
    """
    model = load_head_model()
    space = uv_space(model, RESOLUTION)
    pack = load_pack(PACK)
    left_out = np.zeros(len(pack.names), bool)
    if options.people == "train":
        left_out[:: settings.one_left_out_of] = True
        albedos = list(pack_albedos(pack, left_out))[: options.limit]
    else:
        albedos = list(heldout_albedos(options, model, space))
    pca = trained_pca(without(pack, left_out), model, settings)
    features = load_features()
    rows: list[Row] = []
    for albedo in albedos:
        shown, columns = [albedo.albedo_srgb], ["truth"]
        counts = sorted({*settings.components, settings.papers_components})
        found = described(pca, counts, albedo, settings)
        for name, count, side in contenders(settings):
            coarse = found[count]
            detailed = with_detail(coarse, albedo, model, space, side)
            for column, image in (
                (name, map_of(coarse, RESOLUTION, side)),
                (f"{name} + detail, A_d", detailed.diffuse_albedo_srgb),
                (f"{name} + detail, T", detailed.texture_srgb),
            ):
                rows.append(Row(column, albedo.condition, albedo.name, compared(image, albedo, model, space, features)))
                shown.append(image)
                columns.append(column)
        write_figure(options.out / "albedo_model" / f"{albedo.name.replace('/', '_')}.png", [shown], columns)
        log.info("%s %s done", albedo.condition, albedo.name)
    sentences = verdicts(rows, max(settings.components)) + ([] if features else [ABSENT])
    protocol = PROTOCOL.format(samples=settings.samples)
    write_table(Table("albedo_model", "Albedo model", protocol, rows, sentences), options.out)
    return 0


def contenders(settings: AlbedoModelSettings) -> list[tuple[str, int, int]]:
    """Name, components a channel and side of the coarse map, of every model."""
    by_count = [(f"{count}", count, cosine.ORDER) for count in settings.components]
    count = settings.papers_components
    return by_count + [(f"{count} at {side}", count, side) for side in settings.papers_sides]


def pack_albedos(pack: SkinPack, chosen: np.ndarray) -> Iterator[KnownAlbedo]:
    """Albedos of chosen training people, bool [N], where their photos showed them."""
    for i in np.flatnonzero(chosen):
        certain = cv2.resize(pack.certain[i], (pack.resolution, pack.resolution), interpolation=cv2.INTER_NEAREST)
        albedo = pack.albedo_srgb[i].astype(np.float32) / 255
        yield KnownAlbedo("training people", pack.names[i], albedo, certain == 255)


def heldout_albedos(options: argparse.Namespace, model: HeadModel, space: UVSpace) -> Iterator[KnownAlbedo]:
    """Albedos of CG heads and portraits in no prior."""
    if options.only != "portraits":
        folder = options.heads or SOURCES / "valid_heads"
        check_heads(folder)
        found = correspondence(folder, model, space)
        for record in heldout_records(folder)[: options.limit]:
            maps = truth(folder, record, found, model, space)
            yield KnownAlbedo("CG heads", record["name"], maps.diffuse_albedo_srgb, maps.visibility > 0.5)
    if options.only == "heads":
        return
    for person in portrait_truths(portraits_folder(options), model, space, options.limit):
        maps = person.truth
        yield KnownAlbedo("portraits", person.name, maps.diffuse_albedo_srgb, maps.visibility > 0.5)


def without(pack: SkinPack, left_out: np.ndarray) -> SkinPack:
    """The pack without some of its people, bool [N]."""
    names = tuple(name for name, out in zip(pack.names, left_out, strict=True) if not out)
    return SkinPack(pack.albedo_srgb[~left_out], pack.certain[~left_out], pack.identity[~left_out], names, {})


def trained_pca(pack: SkinPack, model: HeadModel, settings: AlbedoModelSettings = AlbedoModelSettings()) -> AlbedoPca:
    """PCA of the training stream's albedos, of as many components as are asked for; kept in the cache."""
    what = json.dumps([pack.names, settings.samples, settings.side, settings.seed, max(settings.components)])
    key = hashlib.sha256(PACK.read_bytes() + what.encode()).hexdigest()[:16]
    stored = cache_folder("evaluation") / f"albedo_pca_{key}.npz"
    if not stored.exists():
        stream = SkinStream(pack, model, seed=settings.seed, resolution=settings.side, heads=1)
        even = np.empty((settings.samples, 3, cosine.count(0)), np.float32)
        odd = np.empty((settings.samples, 3, cosine.count(1)), np.float32)
        for number in range(settings.samples):
            even[number], odd[number] = cosine.analyse(stream.albedos([number])[0].numpy())
            if number % 100 == 0:
                log.info("%d of %d samples", number, settings.samples)
        pca = albedo_pca(even, odd, max(settings.components), settings.seed)
        np.savez(stored, mean=pca.mean, parity=pca.parity, components=pca.components)
    with np.load(stored) as data:
        return AlbedoPca(data["mean"], data["parity"], data["components"])


def described(
    pca: AlbedoPca, counts: Sequence[int], albedo: KnownAlbedo, settings: AlbedoModelSettings = AlbedoModelSettings()
) -> dict[int, np.ndarray]:
    """The albedo by the first components of each channel, fitted to its known texels: cosines [3, 2, n] by count.

    Coefficients have the prior N(0, 1).
    """
    linear = srgb_to_linear(albedo.albedo_srgb).astype(np.float32)
    small, share = masked_reduce(linear, albedo.known.astype(np.float32), settings.side)
    known = share > 0.99
    mean = pca.mean_map(settings.side)
    result = {count: np.zeros((3, 2, cosine.count(0)), np.float32) for count in counts}
    for channel in range(3):
        basis = pca.component_maps(channel, settings.side)[: max(counts), known]
        target = small[known][:, channel] - mean[known][:, channel]
        products, onto = (basis @ basis.T).astype(np.float64), (basis @ target).astype(np.float64)
        for count, numbers in result.items():
            system = products[:count, :count] + settings.noise**2 * np.eye(count)
            weights = np.linalg.solve(system, onto[:count]).astype(np.float32)
            parity, components = pca.parity[channel, :count], pca.components[channel, :count]
            for p in (0, 1):
                numbers[channel, p] = weights[parity == p] @ components[parity == p]
            numbers[channel, 0] += pca.mean[channel]
    return result


def map_of(coarse: np.ndarray, side: int, held: int = cosine.ORDER) -> np.ndarray:
    """A described albedo [3, 2, n] as a map float32 [side, side, 3], sRGB-encoded.

    Args:
        coarse: cosines.
        side: of the map.
        held: texels a side of the coarse map that it is enlarged from, where those are fewer than the band needs.
    """
    linear = _linear(coarse, side) if held >= cosine.ORDER else enlarge(_linear(coarse, held), side)
    return linear_to_srgb(np.clip(linear, 0, 1)).astype(np.float32)


def _linear(coarse: np.ndarray, side: int) -> np.ndarray:
    even = cosine.synthesise(coarse[:, 0], 0, side)
    odd = cosine.synthesise(coarse[:, 1, : cosine.count(1)], 1, side)
    return np.moveaxis(even + odd, 0, -1)


def with_detail(
    coarse: np.ndarray, albedo: KnownAlbedo, model: HeadModel, space: UVSpace, held: int = cosine.ORDER
) -> SkinMaps:
    """The described albedo at `held` texels a side, with what the detail stage adds of the known albedo."""
    skin = FittedSkin(model, _seen_closely(model), space, np.zeros((len(model.mean), 9), np.float32), held)
    side = skin.working.resolution
    partial = PartialTexture(albedo.albedo_srgb * albedo.known[..., None], albedo.known.astype(np.float32))
    reduced, weight = masked_reduce(srgb_to_linear(partial.texture_srgb), partial.visibility, side)
    log_seen = np.log(np.maximum(reduced, DARKEST)).astype(np.float32)
    tone, _ = robust_tone(log_seen, weight * plain_skin(skin.regions))
    flat = np.zeros((side, side), np.float32)
    none = np.zeros_like(log_seen)
    delit = DelightedTexture(skin, partial, log_seen, log_seen, none, none, weight, flat, tone, np.exp(tone))
    log_albedo = np.log(np.maximum(_linear(coarse, side), DARKEST)).astype(np.float32)
    return add_detail(CompletedMaps(log_albedo, log_albedo, log_albedo, flat), delit, 0, DetailOptions(strength=0.0))


def _seen_closely(model: HeadModel) -> HeadFit:
    """The mean head before a camera so near that it resolves every texel."""
    camera = orbit_camera(np.zeros(3), 0.0, OrbitSettings(side_px=4096))
    view = ViewFit(
        expression=np.zeros(len(model.expression_names), np.float32),
        camera=camera,
        light=np.zeros((9, 3), np.float32),
        skin_albedo=np.full(3, 0.3, np.float32),
        iod_px=1000.0,
        landmark_error=0.0,
        landmark_errors=np.zeros(LANDMARK_COUNT, np.float32),
        photometric_before=0.0,
        photometric_after=0.0,
        focal_known=True,
    )
    return HeadFit(np.zeros(len(model.identity_basis), np.float32), (view,))


def compared(
    image_srgb: np.ndarray, albedo: KnownAlbedo, model: HeadModel, space: UVSpace, features: FeatureNet | None
) -> dict[str, float]:
    """The figures of a described albedo on known texels of the face."""
    face = albedo.known & (face_regions(model, space).face > 0.5)
    error = metrics.rmse(image_srgb, albedo.albedo_srgb, face)
    distance = float("nan")
    if features is not None:
        rows, columns = (np.flatnonzero(face.any(axis)) for axis in (1, 0))
        box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        pasted = np.where(face[..., None], image_srgb, albedo.albedo_srgb)
        distance = feature_distance(features, pasted[box], albedo.albedo_srgb[box])
    return {
        "MSE": float((255 * error) ** 2),
        "PSNR": metrics.psnr(image_srgb, albedo.albedo_srgb, face),
        "SSIM": metrics.ssim(image_srgb, albedo.albedo_srgb, face, albedo.known),
        "features": distance,
    }


def verdicts(rows: Sequence[Row], most: int) -> list[str]:
    """What detail gains over the most components, and what more components gain."""
    sentences = []
    for condition in conditions_of(rows):
        coarse = mean_of(rows, f"{most}", condition, "PSNR")
        for kind in ("A_d", "T"):
            name = f"{most} + detail, {kind}"
            gain = gain_over_people(rows, "PSNR", name, f"{most}", condition)
            text = f"{condition}: {kind} of {most} components with detail {gain} dB over {coarse:.2f} without"
            sentences.append(verdict(f"{text}, at least {WANTED_GAIN_DB:.0f}", gain.mean >= WANTED_GAIN_DB))
    return sentences
