"""A program's numbers for Prometheus, on the loopback."""

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from site_config.errors import ConfigurationError

LOOPBACK = "127.0.0.1"
_COUNTER = "_total"

Numbers = Mapping[str, Mapping[str, float]]
"""By device and quantity. A quantity that ends in `_total` counts from the start of its program."""


class MetricsServer(Collector):
    """Serves what `numbers` holds at http://127.0.0.1:PORT/metrics; replace it whole.

    Args:
        port: None serves nowhere. Raises ConfigurationError when it is taken.
        key: of the port in the user's file.
    """

    def __init__(self, port: int | None, key: str) -> None:
        self.numbers: Numbers = {}
        self._server = None
        if port is not None:
            registry = CollectorRegistry()
            registry.register(self)
            try:
                self._server, _ = start_http_server(port, LOOPBACK, registry)
            except OSError as problem:
                raise ConfigurationError(f"{key}: {port}: {problem.strerror}") from problem

    def collect(self) -> Iterator[Metric]:
        """For prometheus_client: one metric a quantity, its device as a label."""
        families: dict[str, GaugeMetricFamily | CounterMetricFamily] = {}
        for device, numbers in self.numbers.items():
            for quantity, value in numbers.items():
                name = f"leanmeter_{quantity}"
                if name not in families:
                    kind = CounterMetricFamily if quantity.endswith(_COUNTER) else GaugeMetricFamily
                    families[name] = kind(name, "See docs/observability.md.", labels=["device"])
                families[name].add_metric([device], value)
        yield from families.values()

    def close(self) -> None:
        """End the HTTP server."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
