"""Search in memory: exact in blocks, approximate by a graph."""
