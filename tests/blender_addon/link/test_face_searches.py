"""Searches for faces: the one of the panel's photo, and those of a list beside each other."""

from __future__ import annotations

import numpy as np

from blender_addon.link.face_searches import MOST_KEPT, FaceSearches
from blender_addon.link.jobs import Failed
from shared.errors import RelightifyError
from shared.messages import Detect, Error, Faces


def request(job_id: str) -> Detect:
    return Detect(job_id, b"photo", f"{job_id}.jpg")


def faces(job_id: str) -> Faces:
    boxes, thumbnail = np.zeros((1, 4), np.float32), np.zeros((1, 4, 4, 3), np.uint8)
    return Faces(job_id, boxes, thumbnail, np.zeros((4, 4, 3), np.uint8), ("",))


def begin(searches: FaceSearches, *ids: str, beside: bool) -> list[tuple[str, ...]]:
    return [searches.begin(request(job_id), job_id, f"/{job_id}.jpg", beside=beside) for job_id in ids]


def test_a_new_search_gives_up_the_one_that_is_under_way() -> None:
    searches = FaceSearches()
    assert begin(searches, "a", "b", beside=False) == [(), ("a",)]
    assert searches.of("/a.jpg") is None
    searches.take(faces("b"))
    assert searches.latest is not None
    assert searches.latest.job.faces is not None
    assert not searches.busy


def test_searches_of_a_list_go_on_beside_each_other_and_are_kept() -> None:
    searches = FaceSearches()
    assert begin(searches, "a", "b", beside=True) == [(), ()]
    searches.take(faces("a"))
    assert searches.busy
    searches.take(Error("no_face", "None.", job_id="b"))
    first, second = searches.of("/a.jpg"), searches.of("/b.jpg")
    assert first is not None
    assert first.job.faces is not None
    assert second is not None
    assert second.job.error is not None
    assert searches.latest is second


def test_a_photo_is_looked_through_again_in_the_place_of_the_last_time() -> None:
    searches = FaceSearches()
    begin(searches, "a", beside=True)
    assert searches.begin(request("again"), "a", "/a.jpg", beside=True) == ("a",)
    assert [search.job.job_id for search in searches.all] == ["again"]


def test_a_line_that_breaks_ends_all_and_what_has_ended_stays() -> None:
    searches = FaceSearches()
    begin(searches, "a", "b", beside=True)
    searches.take(faces("a"))
    searches.take(Failed(RelightifyError("backend_lost", "Gone.")))
    first, second = searches.all
    assert first.job.error is None
    assert second.job.error is not None
    assert not searches.busy


def test_only_the_newest_are_kept_and_nothing_changes_unseen() -> None:
    searches = FaceSearches()
    begin(searches, *(str(number) for number in range(MOST_KEPT + 3)), beside=True)
    assert len(searches.all) == MOST_KEPT
    assert searches.of("/0.jpg") is None
    before = searches.all
    searches.take(faces("stranger"))
    assert searches.all is before


def test_what_a_broken_line_has_ended_is_in_vain_and_what_the_photo_has_is_not() -> None:
    searches = FaceSearches()
    begin(searches, "a", "b", "c", "d", beside=True)
    assert not any(search.in_vain for search in searches.all), "they are under way"
    searches.take(faces("a"))
    searches.take(Error("no_face", "None.", job_id="b"))
    searches.take(Error("cancelled", "No.", job_id="c"))
    searches.take(Failed(RelightifyError("backend_lost", "Gone.")))
    assert [search.in_vain for search in searches.all] == [False, False, True, True]
    assert [search.problem is not None for search in searches.all] == [False, True, False, False]
