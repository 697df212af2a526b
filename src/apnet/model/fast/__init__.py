"""Exact fast paths: fewer passes over feature maps, fewer copies."""
