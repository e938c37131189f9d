"""Cameras, rasterisers, occlusion, light transfer, spherical harmonics and the shading of skin."""
