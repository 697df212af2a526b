"""Retrieval metrics, their breakdown, and their tables."""
