"""Lighting a head: worlds, studio lights, turntables and render settings."""
