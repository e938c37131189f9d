"""Training quadruples [T, A_d, A_s, N], made as they are asked for, on any device, the same for the same seed.

Every sample has a number; its random numbers come from (seed, number) alone, drawn on the CPU, so that samples can be
made in any order, by any worker, and do not depend on the batch they are in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from backend.head.model import HeadModel
from backend.imaging.colour import linear_to_srgb, srgb_to_linear
from backend.rendering.occlusion import sphere_directions
from backend.rendering.skin_model import SKIN
from backend.rendering.skin_shading import Heads, Shots, shade
from backend.training.skin.pack import SkinPack
from backend.training.stream.augment import hair, makeup, mixing, pigments, spots, wrinkles
from backend.training.stream.augment.camera import develop
from backend.training.stream.augment.skin import Skin
from backend.training.stream.heads import DIRECTIONS, head_pool, nearest_texels, texel_mesh
from backend.training.stream.lights import load_environments, random_light
from backend.training.stream.reflectance import normals_of_height, specular_albedo, with_detail_relief
from backend.training.stream.region_masks import region_masks

HEADS = 96
WHISKERED = 0.10  # log luminance by which chin and upper lip are darker than cheeks where whiskers grow already


@dataclass(frozen=True)
class Conditions:
    """How one sample is seen: index of its head, radiance [D, 3], camera [3], roughness."""

    head: int
    radiance: np.ndarray
    camera: np.ndarray
    roughness: float


class SkinStream:
    """Quadruples from a pack of base albedos; an endless iterable and an indexed source.

    Args:
        pack: base albedos.
        model: the head model, for shapes, regions and texels.
        device: where maps are made.
        seed: of everything random.
        resolution: texels a side; at most that of the pack.
        heads: size of the pool of random heads; about a second each to prepare.
    """

    def __init__(
        self,
        pack: SkinPack,
        model: HeadModel,
        device: torch.device | str = "cpu",
        seed: int = 0,
        resolution: int = 512,
        heads: int = HEADS,
    ) -> None:
        self.device, self.seed, self.resolution = torch.device(device), seed, resolution
        masks = region_masks(model, resolution)
        self._masks = masks.to(device)
        self._mesh = texel_mesh(model, resolution, masks.texels_per_mm * 512 / resolution).to(device)
        self._coarse = texel_mesh(model, resolution // 2, masks.texels_per_mm * 512 / resolution).to(device)
        self._heads: Heads = head_pool(model, heads, seed).to(device)
        self._directions = sphere_directions(DIRECTIONS)
        self._environments = load_environments()
        self._albedos = torch.from_numpy(_resized(pack.albedo_srgb, resolution)).to(device)
        rows, columns = nearest_texels(masks.island.numpy() > 0.5)
        self._nearest = torch.from_numpy((rows * resolution + columns).reshape(-1).astype(np.int64)).to(device)

    @property
    def people(self) -> int:
        return len(self._albedos)

    def __iter__(self) -> Iterator[Tensor]:
        """Samples float32 [10, R, R] without end, from number 0."""
        number = 0
        while True:
            yield self.batch(range(number, number + 1))[0]
            number += 1

    def batch(self, numbers: range | list[int]) -> Tensor:
        """Quadruples float32 [B, 10, R, R] in [-1, 1] with the given numbers: T, A_d (sRGB-encoded), A_s, N."""
        made = [self._sample(n) for n in numbers]
        albedo = torch.stack([m[0] for m in made])
        specular, normal = torch.stack([m[1] for m in made]), torch.stack([m[2] for m in made])
        conditions, generators = [m[3] for m in made], [m[4] for m in made]
        shots = Shots(
            torch.from_numpy(self._directions).to(self.device),
            torch.from_numpy(np.stack([c.radiance for c in conditions])).to(self.device),
            torch.from_numpy(np.stack([c.camera for c in conditions])).to(self.device),
            torch.tensor([c.roughness for c in conditions], device=self.device),
        )
        heads = self._heads.select(torch.tensor([c.head for c in conditions], device=self.device))
        shading = shade(self._mesh, self._coarse, heads, shots, albedo, specular, normal)
        shaded = albedo * shading.diffuse + shading.specular
        level = self._metered(shading.diffuse, shots.camera, heads)
        texture = torch.stack([develop(s, m, rng) for s, m, rng in zip(shaded, level, generators, strict=True)])
        maps = torch.cat([texture * 2 - 1, linear_to_srgb(albedo) * 2 - 1, specular * 2 - 1, normal], dim=1)
        # Outside the island every map repeats its nearest texel, as the maps that are shipped do.
        return maps.flatten(2)[:, :, self._nearest].reshape(maps.shape)

    def albedos(self, numbers: range | list[int]) -> Tensor:
        """The diffuse albedos alone of the samples with the given numbers, linear, float32 [B, 3, R, R]."""
        albedo = torch.stack([self._individual(self._generator(number)).albedo for number in numbers])
        return albedo.flatten(2)[:, :, self._nearest].reshape(albedo.shape)

    def _metered(self, diffuse: Tensor, camera: Tensor, heads: Heads) -> Tensor:
        """The level of light [B] on the part of the face that the camera sees, between its mean and its bright parts.

        Cameras expose so that faces are not burnt out.
        """
        towards = torch.nn.functional.normalize(camera[:, None] - heads.position, dim=-1)
        facing = (heads.normal * towards).sum(-1, keepdim=True).clamp_min(0)
        seen = torch.nn.functional.interpolate(self._coarse.interpolate(facing), diffuse.shape[-2:], mode="bilinear")
        weight = seen[:, 0] * self._masks.face
        total = weight.sum((1, 2)).clamp_min(1e-3)
        luminance = diffuse.mean(1)
        mean = (luminance * weight).sum((1, 2)) / total
        bright = ((luminance**4 * weight).sum((1, 2)) / total) ** 0.25
        return (mean * bright).sqrt()

    def skin(self, number: int) -> Skin:
        """The augmented skin of a sample, before it is lit."""
        return self._individual(self._generator(number))

    def mixture(self, number: int) -> Skin:
        """A synthetic individual of many people, without further changes: for pictures that show nobody."""
        rng = np.random.default_rng([self.seed, 13, number])
        skin = self._base(rng)
        for _ in range(5):
            skin = mixing.mix_regions([skin, self._base(rng), self._base(rng)], self._masks, rng)
            skin = mixing.mix_bands([skin, self._base(rng), self._base(rng)], self._masks, rng)
        return skin

    def _generator(self, number: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, 7, number])

    def _sample(self, number: int) -> tuple[Tensor, Tensor, Tensor, Conditions, np.random.Generator]:
        rng = self._generator(number)
        skin = self._individual(rng)
        albedo = skin.albedo
        specular = specular_albedo(skin, self._masks, rng)[None]
        normal = normals_of_height(skin.height, self._masks.texels_per_mm)
        return albedo, specular, normal, self._conditions(rng), rng

    def _conditions(self, rng: np.random.Generator) -> Conditions:
        """A random head, light and camera: portraits from the front and, less often, from the side."""
        azimuth = float(np.clip(rng.normal(0, 0.45), -1.4, 1.4))
        height = float(np.clip(rng.normal(0, 0.15), -0.5, 0.5))
        towards = np.array([np.sin(azimuth) * np.cos(height), np.sin(height), np.cos(azimuth) * np.cos(height)])
        camera = towards * float(np.exp(rng.uniform(np.log(0.35), np.log(2.5)))) + np.array([0, -0.03, 0])
        radiance = random_light(self._directions, self._environments, rng)
        # Lights are made for a face that looks at +z; a camera at the side sees a face lit from its own side.
        return Conditions(
            int(rng.integers(len(self._heads.position))),
            radiance,
            camera.astype(np.float32),
            float(np.clip(rng.normal(SKIN.gloss.of_pictures, SKIN.gloss.spread), 0.28, 0.6)),
        )

    def _base(self, rng: np.random.Generator) -> Skin:
        """One of the people, mirrored half of the time."""
        encoded = self._albedos[int(rng.integers(len(self._albedos)))].to(torch.float32) / 255
        skin = Skin.of_albedo(srgb_to_linear(encoded))
        return mixing.mirrored(skin) if rng.random() < 0.5 else skin

    def _individual(self, rng: np.random.Generator) -> Skin:
        """A new individual: people mixed, then recoloured, then given what skins have."""
        masks = self._masks
        skin = self._mixed(rng)
        skin = with_detail_relief(skin, masks)
        whiskered = self._has_whiskers(skin)
        tone = pigments.skin_tone(skin, masks)
        if rng.random() < 0.85:
            tone = pigments.random_tone(tone, rng)
            skin = pigments.recolour(skin, masks, tone)
        skin = pigments.bounded(skin, masks)
        for change, odds in (
            (pigments.mottle, 0.7),
            (pigments.flush, 0.6),
            (pigments.tired_eyes, 0.5),
            (pigments.tan, 0.5),
            (makeup.lip_tone, 0.6),
            (spots.freckles, 0.18 if tone.lightness > 50 else 0.05),
            (spots.moles, 0.35),
            (spots.blemishes, 0.25),
            (spots.age_spots, 0.15),
            (wrinkles.wrinkles, 0.35),
        ):
            if rng.random() < odds:
                skin = change(skin, masks, rng)
        return self._groomed(skin, rng, tone.lightness, whiskered)

    def _mixed(self, rng: np.random.Generator) -> Skin:
        masks = self._masks
        skin = self._base(rng)
        if rng.random() < 0.6:
            skin = mixing.mix_bands([skin, self._base(rng)], masks, rng)
        if rng.random() < 0.6:
            skin = mixing.mix_regions([skin, self._base(rng), self._base(rng)], masks, rng)
        if rng.random() < 0.7:
            skin = mixing.warp(skin, masks, rng)
        return mixing.stretched(skin, masks, rng) if rng.random() < 0.2 else skin

    def _groomed(self, skin: Skin, rng: np.random.Generator, lightness: float, whiskered: bool) -> Skin:
        """Hair and make-up."""
        masks = self._masks
        colour = hair.hair_colour(rng, lightness)
        if rng.random() < 0.35:
            skin = hair.tinted_brows(skin, masks, rng, colour)
        kind = rng.random()
        if not whiskered and kind < 0.16:
            return hair.stubble(skin, masks, rng, colour)
        if not whiskered and kind < 0.24:
            return hair.beard(skin, masks, rng, colour)
        if not whiskered and kind > 0.7:
            for change, odds in (
                (makeup.foundation, 0.5),
                (makeup.lipstick, 0.6),
                (makeup.eye_shadow, 0.4),
                (makeup.eyeliner, 0.5),
                (makeup.rouge, 0.5),
            ):
                if rng.random() < odds:
                    skin = change(skin, masks, rng)
        return skin

    def _has_whiskers(self, skin: Skin) -> bool:
        masks = self._masks
        low = torch.maximum(masks.moustache, masks.chin)
        grey = skin.density.mean(0)
        chin = (grey * low).sum() / low.sum()
        cheeks = (grey * masks.cheeks).sum() / masks.cheeks.sum()
        return bool(chin - cheeks > WHISKERED)


def _resized(images: np.ndarray, resolution: int) -> np.ndarray:
    """Images uint8 [N, H, H, 3] as [N, 3, resolution, resolution], averaged over whole blocks."""
    count, side = images.shape[:2]
    if side % resolution:
        raise ValueError(f"the pack has {side} texels a side, which {resolution} does not divide")
    step = side // resolution
    if step > 1:
        blocks = images.reshape(count, resolution, step, resolution, step, 3).astype(np.float32).mean((2, 4))
        images = np.round(blocks).astype(np.uint8)
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2))
