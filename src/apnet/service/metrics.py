"""What Prometheus reads: requests, their time, and pictures."""

from __future__ import annotations

from apnet.extras import require


class Metrics:
    """Counts of one service, in a registry of its own."""

    def __init__(self) -> None:
        library = require("prometheus_client", "serve")
        self._library, self._registry = library, library.CollectorRegistry()
        self._requests = library.Counter(
            "apnet_requests", "Answers.", ("route", "status"), registry=self._registry
        )
        self._seconds = library.Histogram(
            "apnet_request_seconds", "Time to an answer.", ("route",), registry=self._registry
        )
        self._pictures = library.Counter(
            "apnet_pictures", "Pictures embedded.", registry=self._registry
        )
        self._batches = library.Counter(
            "apnet_batches", "Passes through the network.", registry=self._registry
        )

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Counts an answer; ``route`` is one of the service's, never what a client wrote."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def embedded(self, pictures: int) -> None:
        """Counts a batch."""
        self._pictures.inc(pictures)
        self._batches.inc()

    def text(self) -> bytes:
        """Returns all in Prometheus's text form."""
        return bytes(self._library.generate_latest(self._registry))
