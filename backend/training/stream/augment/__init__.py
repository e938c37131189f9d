"""Augmentations of skin: tones, marks, hair, make-up, wrinkles, cameras."""
