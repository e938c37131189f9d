"""Several people in the tab *Face*: the photos that were chosen, and the queue of those under way. Only draws."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import bpy

from ...link.job_queue import Entry, JobQueue
from ...link.jobs import Job, State
from ...link.session import Session
from ..layout import draw_text
from ..operators.people import (
    RELIGHTIFY_OT_clear_queue,
    RELIGHTIFY_OT_photo_alone,
    RELIGHTIFY_OT_pick_people,
    RELIGHTIFY_OT_reconstruct_people,
    RELIGHTIFY_OT_remove_person,
    RELIGHTIFY_OT_show_notes,
    RELIGHTIFY_OT_try_again,
)
from ..operators.reconstruct import RELIGHTIFY_OT_accept_result, RELIGHTIFY_OT_cancel
from ..previews import addon_previews
from ..properties.reconstruct import fill_choices
from .errors import draw_error

PICTURE_SCALE = 2.0
# Rows of a kind that are drawn; further ones are counted.
MOST_ROWS = 6
# Problems that another face of the photo may mend.
FACE_CODES = ("face_too_small", "face_in_profile", "no_pose", "too_little_skin")


def draw_people(layout: bpy.types.UILayout, settings: bpy.types.PropertyGroup) -> None:
    """The photos that were chosen, and the button that has their heads made."""
    people = settings.people
    if not people:
        layout.operator(RELIGHTIFY_OT_pick_people.bl_idname, icon="ADD")
        return
    column = layout.column(align=True)
    for index, item in enumerate(people):
        if index == MOST_ROWS and len(people) > MOST_ROWS + 1:
            column.label(text=f"and {len(people) - MOST_ROWS} more", icon="BLANK1")
            break
        row = column.row()
        _draw_picture(row, item.path)
        row = row.row()
        row.scale_y = PICTURE_SCALE
        row.label(text=Path(item.path).stem, translate=False)
        row.operator(RELIGHTIFY_OT_remove_person.bl_idname, text="", icon="X", emboss=False).index = index
    row = layout.row(align=True)
    row.scale_y = 1.5
    text = f"Reconstruct {len(people)} Heads" if len(people) > 1 else "Reconstruct 1 Head"
    button = row.operator(RELIGHTIFY_OT_reconstruct_people.bl_idname, text=text, icon="COMMUNITY")
    fill_choices(button, settings)
    for item in people:
        button.files.add().name = item.path
    row.operator(RELIGHTIFY_OT_remove_person.bl_idname, text="", icon="TRASH").index = -1


def draw_queue(layout: bpy.types.UILayout, context: bpy.types.Context, session: Session) -> None:
    """A row a person: who, how far, cancel, or what went wrong."""
    queue = session.queue
    box = layout.box()
    _draw_head(box, queue)
    if queue.of(State.HELD):
        text = "Heads are ready that were started in another file than the one that is open now."
        draw_text(box, context, text, "QUESTION")
        row = box.row()
        row.operator(RELIGHTIFY_OT_accept_result.bl_idname, text="Put Them Here", icon="IMPORT")
        row.operator(RELIGHTIFY_OT_cancel.bl_idname, text="Discard", icon="X")
    shown = _shown(queue)
    for entry, following in pairwise((*shown, None)):
        if entry is not None:
            _draw_row(box, context, entry, following)
    hidden = len(queue.entries) - len(shown)
    if hidden:
        box.label(text=f"and {hidden} more", icon="BLANK1")


def _draw_head(box: bpy.types.UILayout, queue: JobQueue) -> None:
    made, failed = len(queue.of(State.DONE)), len(queue.of(State.FAILED))
    row = box.row()
    row.label(text=f"{made} of {len(queue.entries)} heads", icon="COMMUNITY")
    if queue.busy:
        row.operator(RELIGHTIFY_OT_cancel.bl_idname, text="Cancel All", icon="X")
        return
    if failed > 1:
        row.operator(RELIGHTIFY_OT_try_again.bl_idname, text="Try All Again", icon="FILE_REFRESH")
    row.operator(RELIGHTIFY_OT_clear_queue.bl_idname, text="" if failed > 1 else "Clear", icon="TRASH")


def _shown(queue: JobQueue) -> tuple[Entry, ...]:
    """The entries that are drawn: all that want a look, and of the others the nearest to their turn."""
    waiting, done = queue.of(State.WAITING, State.QUEUED, State.STARTING), queue.of(State.DONE, State.CANCELLED)
    left_out = (*waiting[MOST_ROWS:], *done[:-MOST_ROWS])
    return tuple(entry for entry in queue.entries if entry not in left_out)


def _draw_row(box: bpy.types.UILayout, context: bpy.types.Context, entry: Entry, following: Entry | None) -> None:
    job = entry.job
    row = box.row()
    _draw_picture(row, entry.wanted.picture)
    beside = row.column(align=True)
    name = beside.row(align=True)
    name.label(text=job.name, translate=False)
    if not job.ended and job.state is not State.CANCELLING:
        name.operator(RELIGHTIFY_OT_cancel.bl_idname, text="", icon="X", emboss=False).job_id = job.job_id
    if job.state in (State.RUNNING, State.IMPORTING):
        beside.progress(factor=job.fraction, type="BAR", text=job.stage)
    elif job.state in (State.FAILED, State.CANCELLED):
        _draw_tries(beside.row(align=True), entry)
    else:
        outcome = beside.row(align=True)
        outcome.label(**_outcome(job))
        if job.warnings:
            notes = outcome.operator(RELIGHTIFY_OT_show_notes.bl_idname, text="", icon="INFO", emboss=False)
            notes.problem = "\n".join(job.warnings)
    if job.error is not None and not _told_below(entry, following):
        draw_error(box, context, job.error)


def _outcome(job: Job) -> dict[str, str]:
    """Words and icon for where a job is that shows no progress."""
    if job.state is State.DONE:
        return {"text": "Done", "icon": "CHECKMARK"}
    if job.state is State.HELD:
        return {"text": "Ready", "icon": "QUESTION"}
    return {"text": "Waiting" if job.state is State.QUEUED else job.stage}


def _draw_tries(row: bpy.types.UILayout, entry: Entry) -> None:
    job = entry.job
    row.operator(RELIGHTIFY_OT_try_again.bl_idname, icon="FILE_REFRESH").job_id = job.job_id
    if job.error is not None and job.error.code in FACE_CODES and entry.wanted.picture:
        row.operator(RELIGHTIFY_OT_photo_alone.bl_idname, text="", icon="VIEWZOOM").job_id = job.job_id


def _told_below(entry: Entry, following: Entry | None) -> bool:
    """Whether the next row tells of the same problem, as all do when the backend has ended."""
    error, other = entry.job.error, following.job.error if following is not None else None
    return error is not None and other is not None and (error.message, error.hint) == (other.message, other.hint)


def _draw_picture(row: bpy.types.UILayout, path: str) -> None:
    icon = addon_previews().photo_icon(bpy.path.abspath(path)) if path else 0
    if icon:
        row.template_icon(icon_value=icon, scale=PICTURE_SCALE)
    else:
        row.label(text="", icon="USER")
