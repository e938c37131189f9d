"""Identity guidance: what a texture shows a camera, and the pull of its identity on latents."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from backend.head.model import HeadModel, load_head_model
from backend.identity.chip import SIDE, chip_to_photo
from backend.identity.embedder import FaceEmbedder, load_face_embedder
from backend.identity.guidance import IdentityGuidanceSettings, IdentityTerm
from backend.identity.lookup import ChipLookup, chip_camera, chip_lookup
from backend.rendering.camera import Camera
from backend.rendering.rasteriser import EmbreeRasteriser
from tests.backend.identity.test_embedder import picture

# A head 0.6 m away that leans to its shoulder.
LEAN = np.radians(20)
ROLL = np.array([[np.cos(LEAN), -np.sin(LEAN), 0], [np.sin(LEAN), np.cos(LEAN), 0], [0, 0, 1]])
CAMERA = Camera(ROLL, np.array([0.01, 0.02, -0.6]), 900.0, (300.0, 260.0), 640, 480)


@pytest.fixture(scope="module")
def model() -> HeadModel:
    return load_head_model()


@pytest.fixture(scope="module")
def embedder() -> FaceEmbedder:
    return load_face_embedder()


def test_camera_of_the_chip_sees_what_the_chip_shows(model: HeadModel) -> None:
    landmarks = CAMERA.project(model.landmarks(model.mean).astype(np.float64))
    warp = chip_to_photo(landmarks)
    close = chip_camera(CAMERA, landmarks)
    assert (close.width, close.height) == (SIDE, SIDE)
    points = model.mean[::500].astype(np.float64)
    np.testing.assert_allclose(close.project(points) @ warp[:, :2].T + warp[:, 2], CAMERA.project(points), atol=1e-6)


def test_lookup_shows_skin_where_the_head_is_and_the_background_elsewhere(model: HeadModel) -> None:
    background = torch.full((1, 3, SIDE, SIDE), 0.25)
    lookup = chip_lookup(model, model.mean, CAMERA, EmbreeRasteriser(), background)
    # A texture whose red is u and whose green is v.
    middle = (torch.arange(256) + 0.5) / 256
    texture = torch.stack([middle.expand(256, 256), 1 - middle[:, None].expand(256, 256), torch.ones(256, 256)])[None]
    chip = lookup(texture)
    assert chip.shape == (1, 3, SIDE, SIDE)
    landmarks = CAMERA.project(model.landmarks(model.mean).astype(np.float64))
    places = chip_camera(CAMERA, landmarks).project(model.landmarks(model.mean).astype(np.float64))
    triangles, uv_triangles = model.triangles("skin"), model.uv_triangles("skin")
    for landmark in (151, 50, 280, 152):  # forehead, cheeks, chin
        x, y = (int(v) for v in places[landmark])
        red, green, blue = chip[0, :, y, x].tolist()
        assert blue == pytest.approx(1, abs=0.01)
        corner = model.landmark_triangles[landmark][0]
        own = model.uv[uv_triangles[triangles == corner]].mean(0)
        assert (red, green) == pytest.approx(tuple(own), abs=0.03)
    x, y = (int(v) for v in places[468])  # the right eye is no skin
    assert chip[0, :, y, x].tolist() == pytest.approx([0.25] * 3)


class Painter(nn.Module):
    """A decoder for tests: latents [B, 3, 12, 12] are a small picture, enlarged."""

    def forward(self, latent: Tensor) -> Tensor:
        return nn.functional.interpolate(latent, (SIDE, SIDE), mode="bilinear")


def flat_lookup() -> ChipLookup:
    """The texture itself is the chip."""
    middle = (torch.arange(SIDE) + 0.5) / SIDE * 2 - 1
    grid = torch.stack(torch.meshgrid(middle, middle, indexing="xy"), dim=-1)[None]
    return ChipLookup(grid, torch.ones(1, 1, SIDE, SIDE), torch.zeros(1, 3, SIDE, SIDE))


def latent_of(name: str) -> Tensor:
    image = torch.from_numpy(picture(name)[0][45:-45, 45:-45].copy()).permute(2, 0, 1)[None] / 127.5 - 1
    return nn.functional.adaptive_avg_pool2d(image, 12)


@pytest.mark.parametrize("activations", [False, True])
def test_steps_against_the_gradient_make_two_faces_alike(embedder: FaceEmbedder, activations: bool) -> None:
    photo = torch.from_numpy(picture("obama_2009")[0][45:-45, 45:-45].copy()).permute(2, 0, 1)[None] / 255
    *seen, embedding = embedder.network.activations(photo)
    term = IdentityTerm(
        Painter(),
        flat_lookup(),
        embedder,
        embedding[0],
        seen if activations else (),
        IdentityGuidanceSettings(scale=2.0, perceptual=50.0),
    )
    latent = torch.cat([latent_of("obama_2012"), latent_of("biden_2010")])
    before = term.loss(latent)
    gradient = term.gradient(latent, 10)
    assert gradient.shape == latent.shape
    assert not gradient.requires_grad
    # The slope that the gradient promises is the one that is found.
    step = 1e-3 * gradient / gradient.norm()
    slope = float((term.loss(latent + step) - term.loss(latent - step)).sum()) / 2
    assert 2.0 * slope == pytest.approx(float((gradient * step).sum()), rel=0.05)
    for _ in range(8):
        latent = latent - 0.05 * gradient / gradient.flatten(1).norm(dim=1).view(-1, 1, 1, 1) * latent[0].norm()
        gradient = term.gradient(latent, 10)
    assert (term.loss(latent) < before - 0.1).all()


def test_samples_of_a_batch_do_not_pull_on_each_other(embedder: FaceEmbedder) -> None:
    term = IdentityTerm(Painter(), flat_lookup(), embedder, torch.zeros(128))
    first, second = latent_of("obama_2012"), latent_of("biden_2010")
    together = term.gradient(torch.cat([first, second]), 1)
    torch.testing.assert_close(together[:1], term.gradient(first, 1), atol=1e-4, rtol=1e-3)


def test_activations_of_another_network_are_refused(embedder: FaceEmbedder) -> None:
    term = IdentityTerm(Painter(), flat_lookup(), embedder, torch.zeros(128), [torch.zeros(1, 32, 35, 35)])
    with pytest.raises(ValueError, match="zip"):
        term.loss(latent_of("obama_2012"))
