"""Modbus programs that are not ours, to compare ours with."""

from pathlib import Path

import pytest

from tests.servers.missing import require_program


@pytest.fixture
def mbpoll(request: pytest.FixtureRequest) -> Path:
    """Debian's mbpoll, a Modbus master on libmodbus."""
    return require_program(request.config, "mbpoll", "apt install mbpoll")


@pytest.fixture
def telegraf(request: pytest.FixtureRequest) -> Path:
    """Telegraf with its Modbus, MQTT, InfluxDB and file plugins."""
    return require_program(request.config, "telegraf", "scripts/test builds it where go is; or put telegraf on PATH")
