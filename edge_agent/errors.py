"""What can go wrong on the way to a device, told apart by what the caller can do about it."""

from site_config.errors import ConfigurationError


class AgentConfigurationError(ConfigurationError):
    """The site file asks for something that cannot be; the message names the device or line and what to do."""


class DeviceReadError(Exception):
    """A device was asked and there are no values of it."""


class LinkDownError(DeviceReadError):
    """There is no connection: every device of the line is out of reach until it is back."""


class ReplyTimeoutError(DeviceReadError):
    """Nothing came back in time: this device is silent, others of the line may well answer."""


class NotAskedError(ReplyTimeoutError):
    """The device was not even asked, since a late reply to something else may still come."""


class UnusableReplyError(DeviceReadError):
    """Something came back that is no answer to the request: damaged, of another device or of another length."""


class DeviceExceptionError(DeviceReadError):
    """The device answered with an exception; `code` is the Modbus exception code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exception {code} ({EXCEPTION_NAMES.get(code, 'not in the specification')})")
        self.code = code

    @property
    def refuses_addresses(self) -> bool:
        """Whether a smaller request may succeed: an illegal address, or a count that the device does not take."""
        return self.code in {2, 3}

    @property
    def is_silence(self) -> bool:
        """Whether a gateway says that the device behind it does not answer."""
        return self.code in {10, 11}


EXCEPTION_NAMES = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "server device failure",
    5: "acknowledge",
    6: "server device busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target device failed to respond",
}
"""Modbus Application Protocol Specification V1.1b3, section 7."""
