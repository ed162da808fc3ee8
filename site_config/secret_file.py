"""Files that hold one secret each, so that none stands among the settings."""

from pathlib import Path

from site_config.errors import ConfigurationError


def read_secret(path: Path, key: str) -> str:
    """The secret that a file holds; raises ConfigurationError when it cannot be read or is empty."""
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as problem:
        raise ConfigurationError(
            f"{key}: {path}: cannot be read: {getattr(problem, 'strerror', None) or problem}"
        ) from None
    if not secret:
        raise ConfigurationError(f"{key}: {path}: is empty")
    return secret
