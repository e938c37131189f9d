"""Random light for training: Blender's studio environments, area lights and smooth light, on fixed directions."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from backend.asset_files import ASSETS, verified

ASSET = ASSETS / "studio_lights.npz"
# How often a picture is lit by an environment, by area lights, by smooth light.
KIND_SHARES = (0.5, 0.3, 0.2)


def load_environments(path: Path = ASSET) -> np.ndarray:
    """Lat-long radiance float32 [8, 32, 64, 3], linear Rec.709, row 0 up, each scaled to a mean of 1."""
    with np.load(verified(path), allow_pickle=False) as data:
        maps = data["radiance"].astype(np.float32)
    solid = np.sin((np.arange(maps.shape[1]) + 0.5) / maps.shape[1] * np.pi)[None, :, None, None]
    mean = (maps * solid).sum((1, 2, 3), keepdims=True) / (solid.sum() * maps.shape[2] * 3)
    return maps / mean


def random_light(
    directions: np.ndarray,  # float32 [D, 3]
    environments: np.ndarray,  # [E, h, w, 3], `load_environments`
    rng: np.random.Generator,
) -> np.ndarray:
    """Radiance float32 [D, 3], linear RGB, scaled so that a white surface towards the camera (+z) shows about 1."""
    kind = rng.choice(3, p=KIND_SHARES)
    if kind == 0:
        radiance = environment_light(directions, environments, rng)
    elif kind == 1:
        radiance = area_lights(directions, rng)
    else:
        radiance = smooth_light(directions, rng)
    # A camera's white balance takes most of the light's colour away, and some of it stays.
    cast = radiance.mean(0) / radiance.mean()
    radiance = radiance / cast ** rng.uniform(0.6, 1.0)
    return (radiance / frontal_irradiance(directions, radiance).mean()).astype(np.float32)


def frontal_irradiance(directions: np.ndarray, radiance: np.ndarray) -> np.ndarray:
    """What white surfaces that face the camera show, averaged over a face's normals, [3]."""
    normals = np.array([[0, 0, 1], [0.6, 0, 0.8], [-0.6, 0, 0.8], [0, 0.6, 0.8], [0, -0.5, 0.866]], np.float32)
    return (np.maximum(normals @ directions.T, 0) @ radiance).mean(0) * 4 / len(directions) + 1e-6


def environment_light(directions: np.ndarray, environments: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One of the environments, turned at random: any heading, tilted a little; sometimes dimmed by a fill."""
    image = environments[rng.integers(len(environments))]
    turned = directions @ _rotation(rng.uniform(0, 2 * np.pi), rng.normal(0, 0.15), rng.normal(0, 0.1)).T
    radiance = look_up(image, turned)
    if rng.random() < 0.5:
        # Walls, floor and reflectors near the face fill the shadows of what the far environment gives.
        radiance = radiance + rng.uniform(0.1, 1.0) * radiance.mean(0)
    return radiance


def area_lights(directions: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One to three soft boxes before the face over an ambient level."""
    radiance = np.full((len(directions), 3), rng.uniform(0.1, 0.8), np.float32)
    for index in range(int(rng.integers(1, 4))):
        azimuth = rng.normal(0, 0.8 if index == 0 else 1.5)
        height = rng.uniform(-0.2, 1.1)
        towards = np.array(
            [np.sin(azimuth) * np.cos(height), np.sin(height), np.cos(azimuth) * np.cos(height)], np.float32
        )
        radius = rng.uniform(0.15, 0.7)
        inside = 1 / (1 + np.exp((np.arccos(np.clip(directions @ towards, -1, 1)) - radius) / 0.06))
        flux = rng.uniform(0.5, 1.5) if index == 0 else rng.uniform(0.1, 0.7)
        radiance += (flux * len(directions) / 4 / max(inside.sum(), 1e-3)) * inside[:, None] * warmth(rng)
    return radiance


def smooth_light(directions: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Light without edges: the square of random spherical harmonics of order 1, brighter in front."""
    basis = np.concatenate([np.ones((len(directions), 1)), directions], 1).astype(np.float32)
    coefficients = rng.normal(0, 0.35, (4, 1)) + rng.normal(0, 0.035, (4, 3))
    coefficients += np.array([[1.0], [0.0], [0.15], [0.35]])
    return np.square(basis @ coefficients.astype(np.float32)) + 0.05


def warmth(rng: np.random.Generator) -> np.ndarray:
    """Linear RGB [3] of a lamp between candle-like and blue sky, mean 1 (colours of black bodies, 2700-9000 K)."""
    t = rng.normal(0, 0.16)
    colour = np.exp(np.array([t, 0.15 * t, -1.1 * t], np.float32))
    return colour / colour.mean()


def look_up(image: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Average radiance [D, 3] of a lat-long map's cells around each direction, as `load_environments` lays them out."""
    height, width = image.shape[:2]
    polar = (np.arange(height) + 0.5) / height * np.pi
    around = (np.arange(width) + 0.5) / width * 2 * np.pi
    cells = np.stack(
        np.broadcast_arrays(
            np.sin(polar)[:, None] * np.sin(around), np.cos(polar)[:, None], np.sin(polar)[:, None] * np.cos(around)
        ),
        axis=-1,
    ).reshape(-1, 3)
    return gathered(cells, image.reshape(-1, 3), np.repeat(np.sin(polar), width), directions)


def gathered(
    cells: np.ndarray,  # [n, 3], unit
    radiance: np.ndarray,  # [n, 3], linear RGB
    solid: np.ndarray,  # [n], the cells' solid angles, in any unit
    directions: np.ndarray,  # [D, 3], unit, of equal solid angles
) -> np.ndarray:
    """The light of the cells of a sphere on fewer directions, radiance [D, 3]; as much light comes from them."""
    # Every cell gives its light to the nearest directions, softly, so that small suns are neither lost nor doubled.
    closeness = np.exp(40 * (cells.astype(np.float32) @ directions.T.astype(np.float32) - 1))
    closeness /= closeness.sum(1, keepdims=True)
    solid = solid[:, None].astype(np.float32)
    flux = closeness.T @ (radiance * solid)
    return flux * (len(directions) / solid.sum())


def _rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    cy, sy, cp, sp, cr, sr = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return (about_z @ about_x @ about_y).astype(np.float32)
