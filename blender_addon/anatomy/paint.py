"""Painted textures of eyes, lashes and teeth: numpy in, arrays out, the same for the same seed.

Row 0 of every array is the top (v = 1). Colours come back sRGB-encoded, since 8-bit files keep dark tones that way.
Sizes of the eye are anatomy: iris 11.7 mm wide, corneal radius 7.8 mm, eyeball radius 12 mm where the model gives none.
"""

from __future__ import annotations

import numpy as np

from .geometry import EYE_UV_MAX_ANGLE
from .mouth.teeth import BACK_NECK, BITE, LOWER_WIDTHS_MM, NECK, UPPER_WIDTHS_MM, crown_edges

# Of the iris's radius, where no photo says more.
PUPIL = 0.36
CORNEA_RADIUS_PER_IRIS_RADIUS = 7.8 / 5.85
TURN_SAMPLES = 2048
# The mouth's lining, linear.
FLESH = np.array([0.46, 0.15, 0.13])
# Canines and what lies behind are darker and yellower than incisors: linear, CIELAB 73.6, 0.8, 21.3 over 79, 0.3, 17
# (Turgut et al., "Color relationships of natural anterior teeth", 2018).
CANINE, BESIDE_FRONT_TEETH = 2, np.array([0.88, 0.83, 0.73])
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
# Luminance of a very dark brown iris, and how blue brown irises are.
DARKEST_IRIS = 0.02
BROWN_BLUE_PER_GREEN = 0.55


def srgb_from_linear(values: np.ndarray) -> np.ndarray:
    """The sRGB transfer curve of values in [0, 1] (IEC 61966-2-1)."""
    values = np.clip(values, 0, 1)
    return np.where(values <= 0.0031308, 12.92 * values, 1.055 * values ** (1 / 2.4) - 0.055)


def linear_from_srgb(values: np.ndarray) -> np.ndarray:
    """Inverse of `srgb_from_linear`."""
    values = np.clip(values, 0, 1)
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def smoothstep(low: float, high: float, values: np.ndarray) -> np.ndarray:
    """Cubic step from 0 at `low` to 1 at `high`."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def paint_eye(
    iris_colour_srgb: np.ndarray, iris_angle: float, size: int = 1024, seed: int = 0, pupil: float = PUPIL
) -> np.ndarray:
    """Colour of an eyeball, sRGB float [size, size, 3], in the coordinates of `geometry.eye_uv`.

    Args:
        iris_colour_srgb: [3], mean colour of the iris.
        iris_angle: half the angle that the iris spans from the centre of the eyeball, radians.
        pupil: its radius over the iris's.
    """
    rng = np.random.default_rng(seed)
    angle, turn = _polar(size)
    colour = _sclera(angle, turn, iris_angle, rng)
    # The iris fills a small part of the picture; only that is worked on.
    reach = min(size // 2, int(1.3 * iris_angle / EYE_UV_MAX_ANGLE * size / 2) + 1)
    window = (slice(size // 2 - reach, size // 2 + reach),) * 2
    rho, turn = angle[window] / iris_angle, turn[window]
    iris = _iris(linear_from_srgb(np.asarray(iris_colour_srgb, np.float32)), _at_rest(rho, pupil), turn, rng)
    # The limbus is a soft, wobbling border, darker where cornea and sclera overlap.
    border = rho + 0.012 * _around(_band_noise(1, 10, rng), turn)
    edge = smoothstep(0.90, 1.10, border)[..., None]
    eye = iris * (1 - edge) + colour[window] * edge
    limbal_ring = np.exp(-(((border - 0.97) / 0.10) ** 2))[..., None]
    eye = eye * (1 - 0.60 * limbal_ring)
    pupil_border = rho / pupil + 0.01 * _around(_band_noise(1, 14, rng), turn)
    colour[window] = eye * smoothstep(0.93, 1.05, pupil_border)[..., None] + 0.002
    return srgb_from_linear(colour)


def paint_iris_normal(iris_angle: float, size: int = 512, seed: int = 0, pupil: float = PUPIL) -> np.ndarray:
    """Tangent-space normals [size, size, 3] (encoded to [0, 1]) that make the iris a shallow bowl behind the cornea.

    The cornea throws light to the far side of the iris; a concave normal is the cheap and convincing stand-in.
    """
    rng = np.random.default_rng(seed)
    angle, turn = _polar(size)
    rho = angle / iris_angle
    inside = 1 - smoothstep(0.92, 1.06, rho)
    # Undo the tilt of the sphere, then lean towards the axis, most of all near the limbus.
    tilt = -(np.minimum(angle, iris_angle) + np.radians(20) * np.clip(rho, 0, 1)) * inside
    resting = _at_rest(rho, pupil)
    fibres = 0.10 * _fibres(resting, turn, rng) * inside * smoothstep(PUPIL, PUPIL + 0.15, resting)
    return _encode_normal(
        np.stack([tilt * np.cos(turn) - fibres * np.sin(turn), tilt * np.sin(turn) + fibres * np.cos(turn)])
    )


def paint_cornea_normal(iris_angle: float, size: int = 512) -> np.ndarray:
    """Tangent-space normals [size, size, 3] (encoded) of the cornea, which bulges out of the eyeball's sphere."""
    angle, turn = _polar(size)
    rho = angle / iris_angle
    cornea = np.arcsin(np.clip(np.minimum(rho, 1.0) / CORNEA_RADIUS_PER_IRIS_RADIUS, 0, 0.99))
    extra = (cornea - np.minimum(angle, iris_angle)) * (1 - smoothstep(0.92, 1.18, rho))
    return _encode_normal(np.stack([extra * np.cos(turn), extra * np.sin(turn)]))


def paint_lashes(size: int = 1024, seed: int = 0) -> np.ndarray:
    """Opacity [size / 2, size, 1] of the lashes in the layout of `geometry`: upper ones in the top half, lower below.

    u runs from the nose outwards, v from the lid to the tips within each half.
    """
    rng = np.random.default_rng(seed)
    height = size // 4
    halves = []
    for count, length, width, line in ((120, 0.95, 5.0, 0.75), (85, 0.75, 3.4, 0.35)):
        alpha = np.zeros((height, size))
        for root in (np.arange(count) + rng.uniform(0.2, 0.8, count)) / count:
            reach = length * rng.uniform(0.72, 1.0) * (0.55 + 0.45 * np.sin(np.pi * np.clip(root * 0.85 + 0.1, 0, 1)))
            # Lashes fan away from the middle of the eye and curl.
            lean = (root - 0.42) * 0.16 + rng.normal(0, 0.008)
            t = np.linspace(0, 1, int(height * reach) + 2)
            x = (root + lean * t**1.4) * size
            _draw_stroke(alpha, x, t * reach * height, width * (1 - t**1.6) + 0.35)
        # Between the hairs the roots of those that were left out darken the lid's edge; it fades towards both corners.
        u, v = (np.arange(size) + 0.5) / size, ((np.arange(height) + 0.5) / height)[:, None]
        fade = smoothstep(0.0, 0.12, u) * (1 - smoothstep(0.9, 1.0, u))
        alpha = np.maximum(alpha, line * fade * (1 - smoothstep(0.02, 0.16, v)))
        # Row 0 of a half is its top, where the tips are.
        halves.append(alpha[::-1])
    return np.clip(np.concatenate(halves), 0, 1)[..., None]


def paint_teeth(shade_srgb: np.ndarray, size: int = 1024, seed: int = 0) -> np.ndarray:
    """Colour of the teeth, sRGB float [size / 2, size, 3]; upper teeth in the top half (layout of `geometry`).

    Args:
        shade_srgb: [3], of the upper front teeth.
    """
    shade = linear_from_srgb(np.asarray(shade_srgb, np.float64))
    rng = np.random.default_rng(seed)
    height = size // 4
    u = (np.arange(size) + 0.5) / size
    t = ((np.arange(height) + 0.5) / height)[:, None]
    halves = []
    for widths in (UPPER_WIDTHS_MM, LOWER_WIDTHS_MM):
        edges = crown_edges(widths)
        index = np.clip(np.searchsorted(edges, u) - 1, 0, len(edges) - 2)
        within = (u - edges[index]) / (edges[index + 1] - edges[index])
        to_gap = np.minimum(within, 1 - within) * (edges[index + 1] - edges[index]) * 2
        gap = np.exp(-((to_gap / 0.004) ** 2))
        # Light that a crown's round sides lose to its neighbours, beyond what the mesh's own shading shows.
        side = np.abs(2 * within - 1)
        unlike = rng.uniform(0.94, 1.03, len(edges) - 1)[index] * (1 - 0.10 * side**3)
        from_middle = np.abs(index - len(widths) + 0.5).astype(int)
        tooth = np.where((from_middle < CANINE)[:, None], 1.0, BESIDE_FRONT_TEETH)
        enamel = (shade * tooth * _arch_light(u) * unlike[:, None])[None]
        # Dentine shines through yellow at the neck; the edge is thin enamel alone, greyer and clearer.
        neck = (1 - smoothstep(0.22, 0.45, t))[..., None]
        edge = (smoothstep(BITE - 0.14, BITE - 0.01, t) * (1 - smoothstep(BITE + 0.02, BITE + 0.1, t)))[..., None]
        enamel = enamel * (1 - neck * np.array([0.06, 0.10, 0.20])) * (1 - edge * np.array([0.12, 0.09, 0.04]))
        gum = np.array([0.42, 0.13, 0.12])
        # The crowns' own necks rise between the teeth; the gum goes a little beyond them there.
        gum_line = NECK - 0.01 + 0.03 * np.abs(2 * within - 1) ** 6
        is_gum = 1 - smoothstep(-0.012, 0.012, t - gum_line) + smoothstep(BACK_NECK - 0.02, BACK_NECK + 0.01, t)
        # What is seen between two crowns is their shaded flanks: brown, and darkest towards the edge.
        depth = gap * (0.20 + 0.20 * smoothstep(BITE - 0.3, BITE, t))
        colour = enamel * (1 - depth[..., None] * np.array([0.9, 1.0, 1.1]))
        colour = colour * (1 - is_gum[..., None]) + gum * is_gum[..., None]
        # v grows from the gum over the edge to the back, and row 0 is the top of the half.
        halves.append(colour[::-1])
    return srgb_from_linear(np.concatenate(halves))


def _arch_light(u: np.ndarray) -> np.ndarray:
    """How much light reaches a tooth at [0, 1] along the arch, [n, 3]: cheeks and lips shade those beside the front
    ones, and give them what light they throw back themselves, which is red.

    As in a hollow of which a part v is open and the rest has the albedo a, v / (1 - a (1 - v)).
    """
    opening = 1 - 0.5 * smoothstep(0.12, 0.8, np.abs(2 * u - 1))[:, None]
    return opening / (1 - FLESH * (1 - opening))


def _polar(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Angle from the gaze axis and direction around it, radians, [size, size] each."""
    axis = ((np.arange(size, dtype=np.float32) + 0.5) / size * 2 - 1).astype(np.float32)
    x, y = np.meshgrid(axis, -axis)
    return np.hypot(x, y) * EYE_UV_MAX_ANGLE, np.arctan2(y, x)


def _around(table: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Values of a periodic table [n] at directions in radians, linearly interpolated."""
    n = len(table)
    position = (turn / (2 * np.pi) % 1.0) * n
    low = position.astype(np.int64)
    part = position - low
    return table[low % n] * (1 - part) + table[(low + 1) % n] * part


def _band_noise(low: int, high: int, rng: np.random.Generator) -> np.ndarray:
    """Periodic noise [TURN_SAMPLES] of unit deviation with waves from `low` to below `high` a turn."""
    spectrum = np.zeros(TURN_SAMPLES // 2 + 1, complex)
    spectrum[low:high] = rng.normal(size=high - low) + 1j * rng.normal(size=high - low)
    values = np.fft.irfft(spectrum)
    return (values / values.std()).astype(np.float32)


def _fibres(rho: np.ndarray, turn: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Radial strands, about unit amplitude, that bend slightly on their way outwards."""
    broad, middle, fine = (_band_noise(low, high, rng) for low, high in ((8, 40), (40, 110), (110, 230)))
    bend = turn + 0.05 * np.sin(5 * turn + 7 * rho) + 0.03 * np.sin(17 * turn - 11 * rho)
    # Broad strands near the pupil, fine ones outside.
    return 0.5 * _around(broad + 1.2 * middle, bend) + 0.35 * smoothstep(0.5, 0.9, rho) * _around(fine, bend)


def _iris(mean: np.ndarray, rho: np.ndarray, turn: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Linear colour of the iris [H, W, 3] around a mean colour [3]."""
    # In the photo it lay in the shade of lid and lashes.
    mean = natural_iris(mean) * 1.15
    mean = np.clip(mean * max(1.0, DARKEST_IRIS / max(float(mean @ LUMINANCE), 1e-4)), 0.002, 0.5)
    fibres = _fibres(rho, turn, rng)
    collarette = 0.58 + 0.035 * _around(_band_noise(1, 22, rng), turn)
    inner = 1 - smoothstep(-0.05, 0.07, rho - collarette)
    ring = np.exp(-(((rho - collarette) / 0.045) ** 2))
    brightness = 1.0 + 0.30 * fibres + 0.35 * ring + 0.30 * np.exp(-(((rho - 0.76) / 0.13) ** 2))
    crypts = smoothstep(1.0, 2.0, _around(_band_noise(1, 35, rng), turn + 0.6 * rho))
    crypts = crypts * np.exp(-(((rho - 0.68) / 0.08) ** 2))
    brightness = np.clip(brightness * (1 - 0.55 * crypts), 0.15, 2.5)
    # Pigment gathers around the pupil, so the inner zone is browner than the outer one.
    brown = np.array([0.11, 0.055, 0.02], np.float32)
    warmth = 0.38 * inner[..., None]
    colour = mean * (1 - warmth) + (0.5 * mean + 0.5 * brown) * warmth
    return colour * brightness[..., None]


def _at_rest(rho: np.ndarray, pupil: float) -> np.ndarray:
    """Where in an iris with the usual pupil lies what lies at `rho` of one with another: its tissue is stretched."""
    return 1 - (1 - rho) * (1 - PUPIL) / (1 - pupil)


def natural_iris(colour: np.ndarray) -> np.ndarray:
    """A measured iris colour, linear [3], without the purple that skin and noise lend to dark brown ones.

    Irises are coloured by brown melanin over scattered blue, so where red leads, blue trails green; blue, grey and
    green irises stay as they are.
    """
    red, green, blue = (float(c) for c in colour)
    brown = float(smoothstep(1.0, 1.3, np.array(red / max(green, 1e-6))))
    return np.array([red, green, blue + brown * (min(blue, BROWN_BLUE_PER_GREEN * green) - blue)], np.float32)


def _sclera(angle: np.ndarray, turn: np.ndarray, iris_angle: float, rng: np.random.Generator) -> np.ndarray:
    """Linear colour of the white of the eye [H, W, 3]: warm, redder towards the corners, with fine vessels."""
    white = np.array([0.48, 0.44, 0.405], np.float32)
    corner = np.array([0.45, 0.30, 0.26], np.float32)
    outwards = smoothstep(iris_angle * 1.2, np.radians(62), angle)
    colour = white + (corner - white) * (0.75 * outwards)[..., None]
    # Lids and lashes keep light from the rim of the opening, the upper ones most.
    height = angle * np.sin(turn)
    shade = 1 - 0.45 * smoothstep(np.radians(5), np.radians(20), height)
    shade = shade * (1 - 0.30 * smoothstep(np.radians(14), np.radians(30), -height))
    vessels = np.zeros_like(angle)
    size = len(angle)
    for _ in range(70):
        # From the corners (left and right) towards the iris, wandering.
        heading = rng.choice([0.0, np.pi]) + rng.normal(0, 0.55)
        steps = 260
        radius = np.linspace(np.radians(rng.uniform(45, 80)), iris_angle * rng.uniform(1.15, 1.9), steps)
        wander = np.cumsum(rng.normal(0, 0.006, steps) + 0.004 * np.sin(np.arange(steps) * rng.uniform(0.05, 0.2)))
        r = radius / EYE_UV_MAX_ANGLE * size / 2
        x, y = size / 2 + r * np.cos(heading + wander), size / 2 - r * np.sin(heading + wander)
        _splat(vessels, x, y, np.linspace(rng.uniform(0.25, 0.7), 0.05, steps))
    vessels = _blur(vessels)
    red = np.array([0.50, 0.12, 0.09], np.float32)
    amount = np.clip(vessels, 0, 0.6)[..., None]
    return (colour * (1 - amount) + red * amount) * shade[..., None]


def _splat(image: np.ndarray, x: np.ndarray, y: np.ndarray, value: np.ndarray) -> None:
    columns, rows = np.clip(x.astype(int), 0, image.shape[1] - 1), np.clip(y.astype(int), 0, image.shape[0] - 1)
    np.maximum.at(image, (rows, columns), value)


def _blur(image: np.ndarray) -> np.ndarray:
    """A 3 x 3 binomial filter that keeps the peaks of lines about as strong as they were."""
    for axis in (0, 1):
        image = (np.roll(image, 1, axis) + 2 * image + np.roll(image, -1, axis)) / 4
    return image * 1.8


def _draw_stroke(image: np.ndarray, x: np.ndarray, y: np.ndarray, width: np.ndarray) -> None:
    """Add a line that runs upwards in rows (one point per row or denser), `width` pixels wide, with soft borders."""
    height, size = image.shape
    reach = int(np.ceil(width.max())) + 1
    rows = np.clip(y.astype(int), 0, height - 1)
    for offset in range(-reach, reach + 1):
        columns = np.floor(x).astype(int) + offset
        cover = np.clip(width / 2 + 0.5 - np.abs(columns + 0.5 - x), 0, 1)
        inside = (columns >= 0) & (columns < size)
        np.maximum.at(image, (rows[inside], columns[inside]), cover[inside])


def _encode_normal(tilt: np.ndarray) -> np.ndarray:
    """Tangent-space normals [H, W, 3] in [0, 1] from tilts [2, H, W] in radians along u and v."""
    amount = np.maximum(np.hypot(*tilt), 1e-9)
    sideways = np.sin(amount) / amount
    return 0.5 + 0.5 * np.stack([tilt[0] * sideways, tilt[1] * sideways, np.cos(amount)], axis=-1)
