"""Evaluations broken down by attributes of the images."""
