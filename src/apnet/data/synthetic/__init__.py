"""Synthetic people: rendered in Market-1501 layout, so that nobody's picture is needed."""

from __future__ import annotations

from apnet.data.synthetic.catalogue import PEOPLE_SETS
from apnet.data.synthetic.make import Summary, make_people, make_set
from apnet.data.synthetic.world import EASY, WORLD, World

__all__ = ["EASY", "PEOPLE_SETS", "WORLD", "Summary", "World", "make_people", "make_set"]
