"""Native graphs are closed once nobody needs them, wherever garbage is collected."""

from __future__ import annotations

import gc
import threading
from concurrent.futures import ThreadPoolExecutor, thread

from backend.photo.networks.graph_release import close_when_gone


class Graph:
    """Closes as MediaPipe's do: by a pool of threads."""

    def __init__(self) -> None:
        self.pool = ThreadPoolExecutor(1)
        self.closed = threading.Event()

    def close(self) -> None:
        self.pool.submit(self.closed.set).result()


class Owner:
    def __init__(self, graph: Graph) -> None:
        self.graph, self.itself = graph, self
        self.release = close_when_gone(self, graph)


def test_a_graph_is_closed_though_its_owner_is_collected_in_the_midst_of_handing_work_to_a_pool() -> None:
    graph = Graph()
    owner = Owner(graph)
    with thread._global_shutdown_lock:  # pyright: ignore[reportAttributeAccessIssue]
        del owner
        gc.collect()
    assert graph.closed.wait(30)


def test_a_graph_is_closed_when_asked() -> None:
    graph = Graph()
    owner = Owner(graph)
    owner.release()
    assert graph.closed.wait(30)


def test_a_graph_that_cannot_be_closed_any_more_is_let_alone() -> None:
    graph, tried = Graph(), threading.Event()

    def refuse() -> None:
        tried.set()
        raise RuntimeError("cannot schedule new futures after interpreter shutdown")

    graph.close = refuse
    owner = Owner(graph)
    owner.release()
    assert tried.wait(30)
    for worker in [t for t in threading.enumerate() if t.name == "relightify release"]:
        worker.join(0.5)
    assert graph.close is not refuse
