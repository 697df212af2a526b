"""One parser a benchmark: from the folder its owners publish to a ``Listing``."""
