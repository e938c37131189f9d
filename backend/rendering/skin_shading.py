"""Shading of skin in texture space: T from [A_d, A_s, N], a head and its light, batched in torch.

A light is radiance on D directions of equal solid angle, so environments, spherical harmonics and area lights are one
thing, and shadows are a product with precomputed visibility. Irradiance and the light's local order-2 coefficients
(shadowed) are summed per vertex and interpolated; relief is shaded by the local coefficients, which keeps the fine
detail at the cost of a few dozen channels. Sources: Ramamoorthi and Hanrahan, "An efficient representation for
irradiance environment maps", 2001; Sloan et al., "Precomputed radiance transfer", 2002; d'Eon, Luebke and Enderton,
"Efficient rendering of human skin", 2007 (texture-space diffusion); Walter et al., "Microfacet models", 2007 (GGX).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from backend.imaging.tensors import gaussian_blur
from backend.rendering.skin_model import SKIN

F0_SCALE = 0.08  # specular albedo 1 is a reflectance of 8 % at normal incidence (DESIGN section 3)
SPECULAR_LIGHTS = 12
# How far light travels in skin before it leaves, mm, red green blue: the widest Gaussians that matter of the
# six of d'Eon et al., weighted together.
SCATTER_MM = (1.6, 0.75, 0.45)
# Share of the relief's shading that scattering leaves over, red green blue.
RELIEF_CONTRAST = (0.45, 0.75, 0.9)
_LOCAL = 9  # order-2 coefficients


@dataclass(frozen=True)
class TexelMesh:
    """Which points of a mesh the texels show.

    Args:
        corners: int64 [R, R, 3], UV vertices at the corners of each texel's triangle; outside, those of the nearest
            texel inside, so that blurs and enlargements find no border.
        weights: float32 [R, R, 3], barycentrics.
        texels_per_mm: average density on the face, for lengths.
    """

    corners: Tensor
    weights: Tensor
    texels_per_mm: float

    @property
    def resolution(self) -> int:
        return self.corners.shape[0]

    def interpolate(self, attribute: Tensor) -> Tensor:
        """Per UV vertex [B, U, C] to texels [B, C, R, R]."""
        flat, weights = self.corners.reshape(-1, 3), self.weights.reshape(-1, 3, 1)
        total = attribute[:, flat[:, 0]] * weights[:, 0]
        for k in (1, 2):
            total = total.addcmul(attribute[:, flat[:, k]], weights[:, k])
        return total.transpose(1, 2).reshape(attribute.shape[0], -1, self.resolution, self.resolution)

    def to(self, device: torch.device | str) -> TexelMesh:
        return TexelMesh(self.corners.to(device), self.weights.to(device), self.texels_per_mm)


@dataclass(frozen=True)
class Heads:
    """A batch of heads, per UV vertex, head space, metres.

    Args:
        position, normal, tangent: float32 [B, U, 3].
        visibility: [B, U, D] uint8 or float, 1 where a direction's light arrives.
    """

    position: Tensor
    normal: Tensor
    tangent: Tensor
    visibility: Tensor

    def select(self, index: Tensor) -> Heads:
        return Heads(self.position[index], self.normal[index], self.tangent[index], self.visibility[index])

    def to(self, device: torch.device | str) -> Heads:
        return Heads(
            self.position.to(device), self.normal.to(device), self.tangent.to(device), self.visibility.to(device)
        )


@dataclass(frozen=True)
class Shots:
    """Light and camera of each picture in a batch.

    Args:
        directions: float32 [D, 3], unit, towards the light, equal solid angles.
        radiance: float32 [B, D, 3], linear RGB; uniform radiance 1 shows a white surface as 1.
        camera: float32 [B, 3], camera centre in head space, metres.
        roughness: float32 [B], perceptual roughness of the skin's gloss.
    """

    directions: Tensor
    radiance: Tensor
    camera: Tensor
    roughness: Tensor


@dataclass(frozen=True)
class Shading:
    """What light does on skin: `diffuse` and `specular`, linear RGB [B, 3, R, R]; T = A_d diffuse + specular."""

    diffuse: Tensor
    specular: Tensor


def shade(
    mesh: TexelMesh,  # R x R texels, for the maps
    coarse: TexelMesh,  # the same island at fewer texels, for what varies slowly
    heads: Heads,
    shots: Shots,
    diffuse_albedo: Tensor,  # [B, 3, R, R], linear
    specular_albedo: Tensor,  # [B, 1, R, R], linear, F0 / 0.08
    normal: Tensor,  # [B, 3, R, R], unit, tangent space, +Y up
) -> Shading:
    """Light the maps; nothing is differentiable on purpose, all is deterministic."""
    size = (mesh.resolution, mesh.resolution)
    irradiance, local, openness, lobes = _gather_light(heads, shots)
    count = lobes.shape[-1]
    smooth = coarse.interpolate(torch.cat([irradiance, local, openness, lobes], dim=-1))
    irradiance_map, smooth = smooth[:, :3], smooth[:, 3:]
    irradiance_map = _scatter(irradiance_map, coarse.texels_per_mm)
    smooth = functional.interpolate(torch.cat([irradiance_map, smooth], 1), size, mode="bilinear", align_corners=False)
    base, local_map, open_map, lobe_map = torch.split(smooth, [3, 3 * _LOCAL, 1, count], dim=1)

    frame = mesh.interpolate(torch.cat([heads.position, heads.normal, heads.tangent], dim=-1))
    position, smooth_normal, tangent = frame[:, :3], _unit(frame[:, 3:6]), frame[:, 6:9]
    bitangent = torch.cross(smooth_normal, tangent, dim=1)
    bent = _unit(tangent * normal[:, :1] + bitangent * normal[:, 1:2] + smooth_normal * normal[:, 2:])
    local_map = local_map.reshape(len(base), 3, _LOCAL, *size)
    contrast = base.new_tensor(RELIEF_CONTRAST)[None, :, None, None]
    relief = _irradiance_change(local_map, smooth_normal, bent)
    diffuse = (base + contrast * relief).clamp_min(0.02 * base.abs().mean((1, 2, 3), keepdim=True))
    # Light that other skin throws into what it hides takes on the colour of skin.
    skin = diffuse_albedo.mean((2, 3), keepdim=True)
    average = (base * open_map).mean((2, 3), keepdim=True) / open_map.mean((2, 3), keepdim=True).clamp_min(1e-3)
    diffuse = diffuse + (1 - open_map).clamp_min(0) * skin * average * SKIN.bounce.of_albedo

    specular = _specular(shots, position, bent, specular_albedo, local_map, open_map, lobe_map)
    return Shading(diffuse, specular)


def _gather_light(heads: Heads, shots: Shots) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Per UV vertex [B, U, .]: irradiance / pi (3), local light (27), openness (1), the lobes' visibility (K)."""
    visibility = heads.visibility.to(heads.normal.dtype)
    directions, radiance = shots.directions, shots.radiance
    cosine = (heads.normal @ directions.T).clamp_min(0) * visibility * (4.0 / directions.shape[0])
    irradiance = cosine @ radiance
    openness = cosine.sum(-1, keepdim=True)
    basis = order2_basis(directions) * (4 * math.pi / directions.shape[0])
    local = torch.stack([visibility @ (radiance[..., c : c + 1] * basis) for c in range(3)], dim=2)
    strongest = _lobe_directions(radiance)
    lobes = torch.gather(visibility, 2, strongest[:, None].expand(-1, visibility.shape[1], -1))
    return irradiance, local.flatten(2), openness, lobes


def _lobe_directions(radiance: Tensor) -> Tensor:
    """The directions that gloss shows as highlights, int64 [B, K]: those with the most light."""
    return radiance.sum(-1).topk(SPECULAR_LIGHTS, dim=1).indices


def _specular(
    shots: Shots,
    position: Tensor,
    normal: Tensor,
    specular_albedo: Tensor,
    local: Tensor,
    openness: Tensor,
    lobe_visibility: Tensor,
) -> Tensor:
    """GGX highlights of the strongest directions, and the rest of the light as seen in a blurred mirror."""
    view = _unit(shots.camera[:, :, None, None] - position)
    facing = (normal * view).sum(1, keepdim=True)
    # The texture is complete though the camera sees a part: gloss fades out where the surface turns away.
    gone, whole = SKIN.gloss.faded
    seen = ((facing - gone) / (whole - gone)).clamp(0, 1)
    seen = seen * seen * (3 - 2 * seen)
    facing = facing.clamp_min(0.08)
    f0 = F0_SCALE * specular_albedo
    strongest = _lobe_directions(shots.radiance)
    picked = torch.gather(shots.radiance, 1, strongest[..., None].expand(-1, -1, 3))
    ordinary = shots.radiance.median(dim=1, keepdim=True).values
    excess = (picked - ordinary).clamp_min(0) * (4 * math.pi / shots.radiance.shape[1])
    # Each direction stands for a patch of sky; its width adds to the lobe (Karis 2013).
    spread = math.sqrt(4 / shots.radiance.shape[1]) / 2
    roughness = shots.roughness[:, None, None, None]
    alpha = (roughness**2 + spread).clamp(0.05, 0.9)
    # Rough surfaces do not become mirrors at their rim (Lagarde and de Rousiers 2014, section 4.9).
    at_rim = (1 - roughness - f0).clamp_min(0)
    total = torch.zeros_like(normal)
    for k in range(strongest.shape[1]):
        towards = shots.directions[strongest[:, k]][:, :, None, None]
        half = _unit(towards + view)
        n_l = (normal * towards).sum(1, keepdim=True).clamp_min(0)
        n_h = (normal * half).sum(1, keepdim=True)
        l_h = (towards * half).sum(1, keepdim=True)
        distribution = torch.zeros_like(n_h)
        for share, factor in SKIN.gloss.lobes:
            width = ((roughness * factor) ** 2 + spread).clamp(0.05, 0.9) ** 2
            distribution = distribution + share * width / (math.pi * (n_h * n_h * (width - 1) + 1) ** 2)
        smith = 0.5 / (n_l * (facing * (1 - alpha) + alpha) + facing * (n_l * (1 - alpha) + alpha)).clamp_min(1e-3)
        fresnel = f0 + at_rim * (1 - l_h).clamp(0, 1) ** 5
        lobe = distribution * smith * fresnel * n_l * lobe_visibility[:, k : k + 1]
        total = total + lobe * excess[:, k][:, :, None, None]
    mirror = 2 * facing * normal - view
    ambient = evaluate_irradiance(local, _unit(mirror)).clamp_min(0)
    grazing = f0 + at_rim * (1 - facing).clamp(0, 1) ** 5
    return (total + 0.35 * grazing * openness.clamp(0, 1) * ambient) * seen


def _irradiance_change(local: Tensor, smooth: Tensor, bent: Tensor) -> Tensor:
    """How much more light the bent normal gets than the smooth one, [B, 3, R, R]."""
    return evaluate_irradiance(local, bent) - evaluate_irradiance(local, smooth)


def evaluate_irradiance(local: Tensor, normal: Tensor) -> Tensor:
    """Irradiance / pi [B, 3, R, R] of order-2 light [B, 3, 9, R, R] at unit normals [B, 3, R, R].

    Source: Ramamoorthi and Hanrahan 2001, eq. 10-13: the clamped cosine scales the bands by pi, 2 pi / 3, pi / 4.
    """
    x, y, z = normal[:, None, 0], normal[:, None, 1], normal[:, None, 2]
    c0, c1, c2, c3, c4 = (0.282095, 0.488603 * 2 / 3, 1.092548 / 4, 0.315392 / 4, 0.546274 / 4)
    light = local.unbind(2)
    return (
        c0 * light[0]
        + c1 * (y * light[1] + z * light[2] + x * light[3])
        + c2 * (x * y * light[4] + y * z * light[5] + x * z * light[7])
        + c3 * (3 * z * z - 1) * light[6]
        + c4 * (x * x - y * y) * light[8]
    )


def order2_basis(directions: Tensor) -> Tensor:
    """Real spherical harmonics to order 2 [..., 9] of unit directions [..., 3], as `spherical_harmonics.basis`."""
    x, y, z = directions.unbind(-1)
    return torch.stack(
        [
            torch.full_like(x, 0.282095),
            *(0.488603 * a for a in (y, z, x)),
            1.092548 * x * y,
            1.092548 * y * z,
            0.315392 * (3 * z * z - 1),
            1.092548 * x * z,
            0.546274 * (x * x - y * y),
        ],
        dim=-1,
    )


def _scatter(irradiance: Tensor, texels_per_mm: float) -> Tensor:
    """Light spreads under the skin, red farthest: the soft, warm terminator of skin."""
    channels = [
        gaussian_blur(irradiance[:, c : c + 1], max(mm * texels_per_mm, 0.05)) for c, mm in enumerate(SCATTER_MM)
    ]
    return torch.cat(channels, dim=1)


def _unit(vectors: Tensor) -> Tensor:
    """Vectors [B, 3, R, R] scaled to length 1; a vector of length 0 stays 0."""
    return vectors / vectors.square().sum(1, keepdim=True).sqrt().clamp_min(1e-9)
