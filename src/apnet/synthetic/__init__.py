"""Synthetic people: rendered in Market-1501 layout, so that nobody's picture is needed."""

from __future__ import annotations

from apnet.synthetic.make import make_people, make_set
from apnet.synthetic.output import Summary
from apnet.synthetic.world.catalogue import PEOPLE_SETS
from apnet.synthetic.world.settings import EASY, WORLD, World

__all__ = ["EASY", "PEOPLE_SETS", "WORLD", "Summary", "World", "make_people", "make_set"]
