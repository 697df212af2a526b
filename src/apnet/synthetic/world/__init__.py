"""The people and cameras of a synthetic set: settings, counts, visits, named sets."""
