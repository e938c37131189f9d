"""What holds for every test: none leaves the process changed for the next."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def logging_left_as_it_was() -> Iterator[None]:
    """Put levels and handlers of logging back, which the command and the server set for their whole process."""
    root, ours = logging.getLogger(), logging.getLogger("backend")
    before = [(logger, logger.level, list(logger.handlers)) for logger in (root, ours)]
    levels = {handler: handler.level for handler in root.handlers}
    yield
    for logger, level, handlers in before:
        logger.setLevel(level)
        for handler in set(logger.handlers) - set(handlers):
            logger.removeHandler(handler)
    for handler, level in levels.items():
        handler.setLevel(level)
