"""What operators that begin something long have in common."""

from typing import TYPE_CHECKING

import bpy

from ...link.session import Session, session_of
from ..viewport import redraw_panels

# A mix-in: Blender registers the classes that use it, which are operators themselves.
_Base = bpy.types.Operator if TYPE_CHECKING else object


class BackgroundOperator(_Base):
    """Begins when its button is pressed and lets Blender go on; `execute` is for scripts and waits for the end."""

    if TYPE_CHECKING:  # each operator has its own

        def _start(self, context: bpy.types.Context, session: Session) -> bool:
            """Begin; False where that failed, which has been reported."""
            ...

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Begin, and let Blender go on; a timer watches it."""
        session = session_of(context)
        if not self._start(context, session):
            return {"CANCELLED"}
        session.watch()
        redraw_panels()
        return {"FINISHED"}
