"""Cameras: place, light, weather, objects, obstacles, lens and detector."""
