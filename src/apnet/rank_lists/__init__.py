"""Search for people by picture, and pictures of rank lists."""

from apnet.rank_lists.plots import plot_ranks, write_rank_lists
from apnet.rank_lists.results import Hit, SearchResult
from apnet.rank_lists.search import search

__all__ = ["Hit", "SearchResult", "plot_ranks", "search", "write_rank_lists"]
