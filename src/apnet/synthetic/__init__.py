"""Renders synthetic people in Market-1501 layout, so that no photographs of people are needed.

Read the subpackages in this order; each imports only those before it:

``world``: the settings and named sets, and which cameras see which person how often.
``people``: what people look like, their bodies, clothes and poses.
``scene``: cameras with their place, light, weather, lens and detector.
``render``: images of people in a scene, and their metadata.
``make``: whole sets, with ``output`` (the folder) and ``workers`` (the processes).
"""

from __future__ import annotations

from apnet.synthetic.make import make_people, make_set
from apnet.synthetic.output import Summary
from apnet.synthetic.world.catalogue import PEOPLE_SETS
from apnet.synthetic.world.settings import EASY, WORLD, World

__all__ = ["EASY", "PEOPLE_SETS", "WORLD", "Summary", "World", "make_people", "make_set"]
