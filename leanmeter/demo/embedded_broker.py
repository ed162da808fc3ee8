"""An MQTT 5 broker on loopback for the demo and the visit kit: iotcore (rumqttd in a wheel)."""

import logging
import sys
from pathlib import Path

from iotcore.iotcore import IotCoreBroker

# A batch is at most 128 KiB; headers and properties come on top.
_LARGEST_PACKET_BYTES = 256 * 1024

_CONFIGURATION = """\
id = 0

[router]
id = 0
max_connections = 1000
max_outgoing_packet_count = 1000
max_segment_size = 16777216
max_segment_count = 10

[v5.1]
name = "loopback"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1

[v5.1.connections]
connection_timeout_ms = 10000
max_payload_size = {packet_bytes}
max_inflight_count = 200
dynamic_filters = true
"""


def configure_broker(directory: Path, port: int) -> Path:
    """Write the configuration of a broker that listens on 127.0.0.1 only; returns its file."""
    directory.mkdir(parents=True, exist_ok=True)
    configuration = directory / "broker.toml"
    configuration.write_text(_CONFIGURATION.format(port=port, packet_bytes=_LARGEST_PACKET_BYTES), encoding="utf-8")
    return configuration


if __name__ == "__main__":
    # Its log has a line for every packet, at a level of its own; errors alone are wanted.
    logging.getLogger("rumqttd").setLevel(logging.CRITICAL)
    IotCoreBroker(config_path=sys.argv[1]).run_forever()
