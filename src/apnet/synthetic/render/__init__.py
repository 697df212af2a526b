"""Renders the image of a detected person in a scene, and its metadata."""
