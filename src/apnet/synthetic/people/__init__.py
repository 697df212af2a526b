"""Synthetic people: looks, twins, bodies, poses, clothes, colours."""
