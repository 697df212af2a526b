"""One loader per benchmark: reads the folder as published into a ``Listing``."""
