"""What can be wrong with what a user asked a simulator to do."""


class SimulatorError(ValueError):
    """A simulator cannot be started as asked; the message is one line that names the key, file, row or device."""
