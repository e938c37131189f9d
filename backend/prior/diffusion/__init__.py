"""The latent diffusion prior over [T, A_d, A_s, N] and its samplers (eq. 1-9)."""
