"""What can be wrong with a profile, a profile's name or a file of registers."""


class ProfileError(ValueError):
    """A profile or a file of registers cannot be used; the message is one line that names file, key and rule."""


class UnknownProfileError(ProfileError):
    """No profile has that id; the message names those that look like it."""


class RuleError(ProfileError):
    """A rule is broken; the message is "key: rule", the file is not known where it is raised."""
