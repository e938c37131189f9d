"""Why the file of a photo cannot be read."""

from __future__ import annotations

from backend.photo.files.other_kinds import is_cut_picture, other_kind
from shared.errors import RelightifyError


def unreadable() -> RelightifyError:
    return RelightifyError(
        "photo_unreadable", "The file is not an image that can be read.", "Use a JPEG, PNG, TIFF, WebP or HEIC file."
    )


def unknown(data: bytes) -> RelightifyError:
    """Of a file that no decoder took: it is named where it is known, and one of a photo's is damaged."""
    kind = other_kind(data)
    if kind is not None:
        return RelightifyError(
            "photo_unreadable", f"This is {kind.name}, which is not read.", f"To use it, {kind.hint}."
        )
    return truncated() if is_cut_picture(data) else unreadable()


def truncated() -> RelightifyError:
    return RelightifyError(
        "photo_truncated", "The photo file is damaged or incomplete.", "Copy or download it again, or export it anew."
    )


def too_large() -> RelightifyError:
    return RelightifyError(
        "photo_too_large",
        "The photo would take more than a gigabyte of memory, or very long, to be decoded.",
        "Scale it down to at most 80 megapixels, or save it as a JPEG.",
    )


def camera_raw() -> RelightifyError:
    return RelightifyError(
        "photo_is_raw", "This is a camera raw file.", "Export a JPEG or TIFF from your raw converter, and use that."
    )
