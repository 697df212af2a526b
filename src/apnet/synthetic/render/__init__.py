"""From a person and a scene to the image of a detector's box, and its metadata."""
