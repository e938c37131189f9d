"""Errors that users see: a code for programs, a sentence for people, a hint that says what to do.

`CODES` is the one table of codes; a test compares it with the code of all sides.
"""

from __future__ import annotations

from typing import NamedTuple

# Where a fault is found; what both sides share can find it on either side.
ADDON, BACKEND, SHARED, TRAINING, EVALUATION = "add-on", "backend", "shared", "training", "evaluation"


class Code(NamedTuple):
    """What an error code stands for.

    Args:
        meaning: for who writes a program; the error itself has the sentence for people and the hint.
        sides: where it may arise; one with `SHARED` alone reaches add-on, command line and other clients alike.
    """

    meaning: str
    sides: tuple[str, ...]


CODES: dict[str, Code] = {
    # The photo.
    "photo_not_found": Code("the file of the photo is a folder, is not there or cannot be read", (BACKEND,)),
    "photo_empty": Code("the file of the photo has no bytes", (BACKEND,)),
    "photo_unreadable": Code("the file is in no format of pictures that is known", (BACKEND,)),
    "photo_is_raw": Code("the file holds what a camera's sensor measured, not a picture", (BACKEND,)),
    "photo_truncated": Code("the file ends too early or is damaged", (BACKEND,)),
    "photo_too_small": Code("a side of the photo has under 64 pixels", (BACKEND,)),
    "photo_too_large": Code(
        "the photo has more pixels than are decoded, or more bytes than are sent", (BACKEND, SHARED)
    ),
    "no_photo": Code("no photo was chosen, or the chosen one cannot be read", (ADDON,)),
    # The face.
    "no_face": Code("no face was found in the photo", (BACKEND,)),
    "bad_face_index": Code("the option `face` names a face that the photo does not have", (BACKEND,)),
    "face_too_small": Code("the face has too few pixels to be measured", (BACKEND,)),
    "face_in_profile": Code("the face is turned away too far", (BACKEND,)),
    "no_pose": Code("a face was found, but no pose of a head fits it", (BACKEND,)),
    "too_many_photos": Code("more photos were given than a head can be made from", (ADDON, BACKEND)),
    "same_photo": Code("a photo is twice among those of one person", (ADDON,)),
    "too_little_skin": Code("hardly any skin of the face can be seen", (BACKEND,)),
    # What was asked for.
    "bad_option": Code(
        "a value of an option is not allowed, or not together with the others", (ADDON, BACKEND, SHARED, TRAINING)
    ),
    "bad_corrections": Code("corrected landmarks are malformed, or of a point that there is not", (BACKEND, SHARED)),
    "quality_unavailable": Code("the prior of this quality is not in this installation", (BACKEND, EVALUATION)),
    "cancelled": Code("the job was cancelled as asked for", (ADDON, SHARED)),
    "busy": Code("another job, or the installation of the backend, has to end first", (ADDON,)),
    # The machine.
    "no_cuda": Code("CUDA was asked for and cannot be used", (BACKEND,)),
    "no_mps": Code("Apple's GPU was asked for and cannot be used", (BACKEND,)),
    "no_nvdiffrast": Code("nvdiffrast was asked for and cannot be used", (BACKEND,)),
    "out_of_memory": Code("the job needed more memory than there is; the worker lives", (BACKEND,)),
    "disk_full": Code("the disk is full; nothing half-written is left", (ADDON, BACKEND, TRAINING)),
    "cannot_write": Code("the folder or file of the result cannot be written", (ADDON, BACKEND, EVALUATION)),
    "cache_unwritable": Code(
        "the folder for downloads, logs and connection files cannot be used", (ADDON, BACKEND, SHARED)
    ),
    # The installation.
    "missing_library": Code("a library of the system that the face detector needs is missing", (ADDON, BACKEND)),
    "command_missing": Code("a Python package that a command needs is missing", (BACKEND,)),
    "asset_missing": Code("a file that ships with the backend is not there or cannot be read", (BACKEND,)),
    "asset_corrupt": Code("a file that ships with the backend is not what it was when it shipped", (BACKEND,)),
    "model_unavailable": Code("a model file that is fetched at its first use cannot be downloaded", (BACKEND,)),
    "model_corrupt": Code("a downloaded model file has the wrong checksum", (BACKEND,)),
    "internal": Code("an error nobody foresaw; the log has the traceback", (ADDON, BACKEND)),
    # Setting the backend up from Blender.
    "no_python": Code("no Python for the backend has been set up, or none that can be used is there", (ADDON,)),
    "no_backend": Code("the chosen Python does not have the backend", (ADDON,)),
    "no_wheel": Code("this copy of the add-on was built without the backend", (ADDON,)),
    "bad_bundle": Code("the offline bundle is incomplete, or is for another system or Python", (ADDON,)),
    "no_network": Code("a server of packages cannot be reached or is not trusted", (ADDON,)),
    "no_package": Code("a package is not offered for this computer or this Python", (ADDON,)),
    "setup_failed": Code("another step of the installation failed; the log says more", (ADDON,)),
    "cannot_remove": Code("files of the installed backend could not be removed", (ADDON,)),
    # Starting the backend and finding it.
    "backend_start": Code("the backend that the add-on started ended at once or did not get ready", (ADDON,)),
    "already_running": Code("the connection file belongs to a backend that is running", (BACKEND,)),
    "cannot_listen": Code("address or port cannot be listened on", (BACKEND,)),
    "bad_keys": Code("the file of the backend's keys is damaged or cannot be used", (BACKEND,)),
    "no_connection_file": Code("there is no connection file: no backend is running", (SHARED,)),
    "connection_file": Code(
        "the connection file, or what stands for it, is damaged or incomplete", (ADDON, BACKEND, SHARED)
    ),
    "connection_exposed": Code("others can read the keys in the connection file", (SHARED,)),
    # The line, and the service behind it.
    "no_answer": Code("nobody answers at the backend's, or a cluster's, address", (BACKEND, SHARED)),
    "access_denied": Code("the backend does not accept the client's keys", (SHARED,)),
    "backend_lost": Code("the backend has ended or fallen silent", (ADDON, SHARED)),
    "backend_ended": Code("the backend was shut down", (ADDON, BACKEND)),
    "not_ready": Code("the backend's models were not loaded in the time given", (BACKEND,)),
    "version_mismatch": Code("the two sides speak different versions; the hint says which to update", (SHARED,)),
    "protocol": Code("a message is malformed", (BACKEND, SHARED)),
    "too_large": Code("a message is over the limits of size", (SHARED,)),
    "unknown_client": Code("the client has not said hello, or was given up after a silence", (BACKEND,)),
    "queue_full": Code("too many photos wait already", (BACKEND, SHARED)),
    "job_lost": Code("the job never arrived, because the line broke", (BACKEND,)),
    "worker_start": Code("the worker process cannot be started", (BACKEND,)),
    "worker_died": Code("the worker process ended in the middle of a job; it is started anew", (BACKEND,)),
    "bad_mesh": Code("a head mesh is not what both sides agreed on", (SHARED,)),
    "bad_result": Code("a result lacks a map that the add-on needs", (ADDON,)),
    # In Blender: heads, recordings, light.
    "no_head": Code("there is no head in the scene", (ADDON,)),
    "linked_head": Code("the head is linked from another file and cannot be changed here", (ADDON,)),
    "no_human": Code("there is no human to put a head on, or it is not clear which", (ADDON,)),
    "linked_human": Code("the human is linked from another file and cannot be changed here", (ADDON,)),
    "other_human_mesh": Code("the human's mesh is not MakeHuman's base mesh any more", (ADDON,)),
    "head_without_neck": Code("the head's mesh does not end at the neck as it was made", (ADDON,)),
    "no_fit": Code("the head does not know how it was fitted, so that it cannot be corrected", (ADDON,)),
    "no_sample": Code("the head has no completion of this number", (ADDON,)),
    "bad_image": Code("Blender cannot read a map", (ADDON,)),
    "map_unreadable": Code("a map is no PNG of the right kind", (BACKEND,)),
    "bad_recording": Code("a file is no recording of a face", (ADDON,)),
    "no_studio_light": Code("Blender has no studio light of this name", (ADDON,)),
    "no_light_image": Code("no image was chosen to light with", (ADDON,)),
    "bad_light_image": Code("an image to light with cannot be read", (ADDON,)),
    # In Blender: export.
    "no_preset": Code("there is no preset of this name", (ADDON,)),
    "no_target": Code("there is no mesh of this name to bake to", (ADDON,)),
    "no_uv_map": Code("the mesh has no UV map of this name", (ADDON,)),
    "nothing_to_bake": Code("no part of the UV map lies on the skin", (ADDON,)),
    "no_levels": Code("the head's mesh was edited, so that its levels of detail do not fit", (ADDON,)),
    "no_shapes": Code("the head has no shape keys any more", (ADDON,)),
    "no_skin": Code("the head has no skin material any more", (ADDON,)),
    "no_exporter": Code("this Blender lacks the exporter", (ADDON,)),
    "no_window": Code("the export needs a window of Blender", (ADDON,)),
    "no_file_name": Code("the path to export to has no file name", (ADDON,)),
    "is_folder": Code("the path to export to is a folder", (ADDON,)),
    "read_only": Code("the folder to export to may not be written", (ADDON,)),
    "linked_name": Code("an object of another file has the name that the export needs", (ADDON,)),
    "nothing_left": Code("the head has no faces left to export", (ADDON,)),
    "export_failed": Code("Blender's exporter failed", (ADDON,)),
    # Training and evaluation.
    "anny_missing": Code("the package anny is not installed", (TRAINING,)),
    "no_sources": Code("a folder of training data is not there or is incomplete", (TRAINING,)),
    "no_face_on_mesh": Code("the face detector finds no face on a rendered mesh", (TRAINING,)),
    "head_tangled": Code("the skin of the mean head intersects itself", (TRAINING,)),
    "no_lights": Code("the folder of lights has no EXR files", (TRAINING,)),
    "no_pack": Code("there is no packed file of skins", (TRAINING,)),
    "no_quadruples": Code("the folder of training samples is empty", (TRAINING,)),
    "no_autoencoders": Code("the auto-encoders have not been trained yet", (TRAINING,)),
    "no_blender": Code("pictures are to be rendered, and there is no Blender", (BACKEND, EVALUATION)),
    "no_heads": Code("the folder of rendered CG heads is not there or is incomplete", (EVALUATION,)),
    "no_photos": Code("there are no photographs to measure", (EVALUATION,)),
    "no_reference": Code("a table lacks the people that albedo is calibrated by", (EVALUATION,)),
    "render_failed": Code("Blender did not render what a table or a sheet needs", (BACKEND, EVALUATION)),
}


class RelightifyError(Exception):
    """An error that is shown to the user as it is.

    Args:
        code: short machine-readable name, one of `CODES`; a newer peer may send one that is not in there.
        message: one sentence that says what is wrong.
        hint: one sentence that says what to do about it.
    """

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class JobCancelled(RelightifyError):
    """The user cancelled the job; raised between steps by `backend.progress.Progress`."""

    def __init__(self) -> None:
        super().__init__("cancelled", "The job was cancelled.")
