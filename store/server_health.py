"""Health of the server's own programs: the same numbers as readings of a site of their own and for Prometheus."""

from collections.abc import Mapping

from site_config.metrics_server import MetricsServer, Numbers
from store.protocol import ReadingStore
from store.schema import SERVER_SITE
from wire_format.batch import Column, DeviceRows

HEALTH_INTERVAL_S = 10.0
_UNITS = {"_s": "s", "_bytes": "B"}

Health = Numbers


class ServerHealth:
    """Publishes what its program measures of itself.

    Args:
        readings: gets readings of the site `SERVER_SITE`.
        port: where http://127.0.0.1:PORT/metrics is served; None: nowhere.
        key: of the port in the file; the error of a port that is taken names it.
    """

    def __init__(self, readings: ReadingStore, port: int | None, key: str) -> None:
        self._readings = readings
        self._metrics = MetricsServer(port, key)

    async def publish(self, health: Health, time_ms: int) -> None:
        """Replace what Prometheus is told, and store it; raises StoreError when it is not stored."""
        self._metrics.numbers = health
        await self._readings.write(SERVER_SITE, [_rows(device, numbers, time_ms) for device, numbers in health.items()])

    def close(self) -> None:
        """End the HTTP server."""
        self._metrics.close()


def _rows(device: str, numbers: Mapping[str, float], time_ms: int) -> DeviceRows:
    columns = [Column(name, _unit(name), -3, (round(value * 1000),)) for name, value in numbers.items()]
    return DeviceRows(device, (time_ms,), tuple(columns))


def _unit(quantity: str) -> str:
    return next((unit for ending, unit in _UNITS.items() if quantity.endswith(ending)), "1")
