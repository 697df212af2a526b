"""Plan of a synthetic set: difficulty, counts, images per person and camera, named sets."""
