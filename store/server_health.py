"""Health of the server's own programs: the same numbers as readings of a site of their own and for Prometheus."""

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from site_config.errors import ConfigurationError
from store.protocol import ReadingStore
from store.schema import SERVER_SITE
from wire_format.batch import Column, DeviceRows

HEALTH_INTERVAL_S = 10.0
LOOPBACK = "127.0.0.1"
_UNITS = {"_s": "s", "_bytes": "B"}
_COUNTER = "_total"

Health = Mapping[str, Mapping[str, float]]
"""Numbers by device and quantity. A quantity that ends in `_total` counts from the start of its program."""


class ServerHealth(Collector):
    """Publishes what its program measures of itself.

    Args:
        readings: gets readings of the site `SERVER_SITE`.
        port: where http://127.0.0.1:PORT/metrics is served; None: nowhere.
        key: of the port in the file; the error of a port that is taken names it.
    """

    def __init__(self, readings: ReadingStore, port: int | None, key: str) -> None:
        self._readings = readings
        self._health: Health = {}
        self._server = None
        if port is not None:
            registry = CollectorRegistry()
            registry.register(self)
            try:
                self._server, _ = start_http_server(port, LOOPBACK, registry)
            except OSError as problem:
                raise ConfigurationError(f"{key}: {port}: {problem.strerror}") from problem

    async def publish(self, health: Health, time_ms: int) -> None:
        """Replace what Prometheus is told, and store it; raises StoreError when it is not stored."""
        self._health = health
        await self._readings.write(SERVER_SITE, [_rows(device, numbers, time_ms) for device, numbers in health.items()])

    def collect(self) -> Iterator[Metric]:
        """For prometheus_client: one metric a quantity, its device as a label."""
        families: dict[str, GaugeMetricFamily | CounterMetricFamily] = {}
        for device, numbers in self._health.items():
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


def _rows(device: str, numbers: Mapping[str, float], time_ms: int) -> DeviceRows:
    columns = [Column(name, _unit(name), -3, (round(value * 1000),)) for name, value in numbers.items()]
    return DeviceRows(device, (time_ms,), tuple(columns))


def _unit(quantity: str) -> str:
    return next((unit for ending, unit in _UNITS.items() if quantity.endswith(ending)), "1")
