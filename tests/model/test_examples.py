import doctest
import importlib

import pytest


@pytest.mark.parametrize("room", ["fast.relations", "insertion", "build"])
def test_the_examples_in_the_docstrings_run(room):
    failures, tried = doctest.testmod(importlib.import_module(f"apnet.model.{room}"))
    assert tried > 0
    assert failures == 0
