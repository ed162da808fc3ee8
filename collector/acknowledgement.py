"""An answer as an MQTT message."""

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from wire_format.batch import Acknowledgement

EXPIRY_S = 60
"""An edge that was away for longer has sent the batch again, and gets a new answer."""


def answer_properties(acknowledgement: Acknowledgement) -> Properties:
    """Correlation Data is the batch's id; the answer expires."""
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.CorrelationData = acknowledgement.batch_id.to_bytes()
    properties.MessageExpiryInterval = EXPIRY_S
    return properties
