"""What can be wrong with data or a question put to it."""


class BaselineError(ValueError):
    """The data cannot carry what is asked; the message is one line that names row, column or period."""
