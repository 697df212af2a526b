"""Exact ranks and nearest images, blockwise."""
