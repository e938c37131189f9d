"""Training the linear prior, the auto-encoders and the denoiser."""
