"""Tests on generated input (hypothesis): how many examples, and bytes that are nearly right.

The same examples are drawn in every run; more of them where HYPOTHESIS_PROFILE is ``thorough``, as `.ci/test` sets it.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

# Where several things run at once, the time that an example takes says nothing.
COMMON = settings(
    derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=False
)
settings.register_profile("brief", COMMON, max_examples=25)
settings.register_profile("thorough", COMMON, max_examples=200)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "brief"))


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """`whole` with a few bytes changed, a piece cut out or doubled, or its end missing."""
    data = bytearray(whole)
    places = st.integers(0, len(whole) - 1)
    for _ in range(draw(st.integers(1, 4))):
        place = min(draw(places), len(data))
        kind = draw(st.sampled_from(("set", "set", "set", "cut", "double", "insert", "end")))
        length = draw(st.integers(1, 64))
        if kind == "set":
            piece = draw(st.binary(min_size=1, max_size=4))
            data[place : place + len(piece)] = piece
        elif kind == "cut":
            del data[place : place + length]
        elif kind == "double":
            data[place:place] = data[place : place + length]
        elif kind == "insert":
            data[place:place] = draw(st.binary(min_size=1, max_size=8))
        else:
            del data[place:]
    return bytes(data)
