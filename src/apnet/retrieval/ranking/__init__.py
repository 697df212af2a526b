"""Exact ranks and nearest gallery images, block by block."""
