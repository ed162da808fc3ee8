"""What can be wrong with a file that a user wrote."""


class ConfigurationError(ValueError):
    """A user's file cannot be used; the message is one line that names file and key and says what to do."""


class SiteFileError(ConfigurationError):
    """The site file cannot be used."""
