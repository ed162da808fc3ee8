"""Pulses on GPIO lines, by a chip that is not there; the library that asks for lines is the real one."""

import asyncio
import errno
import logging
from pathlib import Path

import pytest

from edge_agent.agent import Agent
from edge_agent.clock import SystemClock
from edge_agent.errors import AgentConfigurationError
from edge_agent.installation import installed_lines
from edge_agent.outbox import Outbox
from edge_agent.pulse_input import EdgeSource, PulseInput, kernel_lines, line_settings
from edge_agent.totals import Totals
from edge_agent.transports import GpioChip
from leanmeter.command_line import main
from site_config.errors import ConfigurationError
from site_config.schema import PulseInputSettings, load_site
from tests.edge_agent.clocks import ManualClock
from tests.edge_agent.gpio_chip import FakeChip
from tests.servers.waiting import eventually_async
from wire_format.codec import decode_rows
from wire_format.quality import Quality

WATER = PulseInputSettings(line=17, debounce_s=0.02)
GOOD = Quality.GOOD

SITE = """
site: bakery
lines:
  - id: inputs
    gpio: {chip: /dev/gpiochip0}
    devices:
      - {id: water-meter, profile: pulses/gpio, input: {line: 17}}
      - {id: gas-meter, profile: pulses/gpio, input: {line: GPIO27, pull: down, debounce_s: 0.03}}
points:
  - {id: water, name: Water, resource: water, role: main, measured_by: water-meter, amount: counter_1, factor: 0.01}
"""


def pulse_input(chip: EdgeSource, totals: Totals | None = None, settings: PulseInputSettings = WATER) -> PulseInput:
    return PulseInput("water-meter", "/dev/gpiochip0", settings, SystemClock(), totals or Totals(), chip)


async def count(counter: PulseInput) -> tuple[int | None, Quality]:
    sample = await counter.read("fast")
    assert [column.quantity for column in sample.shape] == ["counter_1"]
    return sample.integers[0], sample.quality[0]


@pytest.mark.parametrize("pull", ["up", "down"])
async def test_each_time_the_contact_closes_is_a_pulse_and_bounces_are_none(pull: str) -> None:
    chip = FakeChip()
    counter = pulse_input(chip, settings=PulseInputSettings.model_validate({"line": 17, "pull": pull}))
    assert await count(counter) == (0, GOOD)
    chip.contact(17, 0.001, 0.002, 0.05, 0.003)
    assert await count(counter) == (1, GOOD)
    assert await count(counter) == (1, GOOD)
    chip.contact(17, 0.05, 0.004, 0.05)
    assert await count(counter) == (3, GOOD)
    counter.close()
    assert chip.requested == {}


async def test_more_pulses_than_the_kernel_keeps_are_counted_by_their_numbers() -> None:
    chip = FakeChip()
    counter = pulse_input(chip)
    await count(counter)
    chip.contact(17, *[0.05] * 1000)
    assert await count(counter) == (1000, GOOD)


async def test_the_total_goes_on_after_a_restart_from_where_it_was_last_told() -> None:
    chip, totals = FakeChip(), Totals()
    counter = pulse_input(chip, totals)
    await count(counter)
    totals.encode()
    chip.contact(17, *[0.05] * 7)
    assert await count(counter) == (7, GOOD)
    # The state goes out with the row that shows the pulses: what was told is never told lower.
    assert totals.must_go_out
    state = totals.encode()
    counter.close()

    restarted = Totals()
    restarted.restore(state)
    counter = pulse_input(chip, restarted)
    assert await count(counter) == (7, GOOD)
    chip.contact(17, 0.05)
    assert await count(counter) == (8, GOOD)


async def test_a_chip_that_cannot_be_used_is_told_once_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    clock, chip = ManualClock(), FakeChip()
    counter = PulseInput("water-meter", "/dev/gpiochip0", WATER, clock, Totals(), chip)
    chip.problem = PermissionError(errno.EACCES, "Permission denied")
    for _ in range(5):
        assert await count(counter) == (None, Quality.LINK_ERROR)
    assert [record.getMessage() for record in caplog.records] == [
        "water-meter (/dev/gpiochip0, line 17): Permission denied; its pulses are not counted"
    ]
    chip.problem = None
    await clock.sleep(60)
    assert await count(counter) == (0, GOOD)
    chip.contact(17, 0.05, 0.05)
    assert await count(counter) == (2, GOOD)
    # The expander is unplugged, and comes back.
    chip.problem = OSError(errno.ENODEV, "No such device")
    assert await count(counter) == (None, Quality.LINK_ERROR)
    chip.problem = None
    await clock.sleep(60)
    assert await count(counter) == (2, GOOD)


async def test_a_computer_without_the_chip_has_no_pulses() -> None:
    counter = PulseInput("water-meter", "/dev/gpiochip99", WATER, SystemClock(), Totals(), kernel_lines())
    assert await count(counter) == (None, Quality.LINK_ERROR)


def test_the_kernel_debounces() -> None:
    settings = line_settings(WATER)
    assert settings.debounce_period.total_seconds() == 0.02
    assert settings.active_low


def site_file(tmp_path: Path, text: str = SITE) -> Path:
    path = tmp_path / "site.yaml"
    path.write_text(text)
    return path


def test_a_gpio_line_of_the_site_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = site_file(tmp_path)
    (line,) = installed_lines(load_site(path))
    assert line.transport == GpioChip("/dev/gpiochip0")
    assert [device.settings.id for device in line.devices] == ["water-meter", "gas-meter"]
    assert main(["edge", "plan", "--config", str(path)]) == 0
    plan = capsys.readouterr().out
    assert "inputs: /dev/gpiochip0" in plan
    assert "water-meter (pulses/gpio, line 17)" in plan


async def counted(site: Path, chip: FakeChip, pulses: int) -> list[int]:
    """Let an agent run while a contact closes; all that its outbox holds of the water meter afterwards."""
    loaded = load_site(site)
    agent, stop = Agent(loaded, gpio=chip), asyncio.Event()
    agent.drain_timeout_s = 0.0
    task = asyncio.create_task(agent.run(stop))
    await eventually_async(lambda: 17 in chip.requested)
    chip.contact(17, *[0.05] * pulses)
    before = agent.values_sampled
    await eventually_async(lambda: agent.values_sampled > before + 2)
    stop.set()
    await task
    with Outbox.open(loaded.data_dir / "outbox", max_bytes=loaded.outbox_max_bytes) as outbox:
        return [
            integer
            for numbers in outbox.unacknowledged()
            for record in outbox.read(numbers)
            for rows in decode_rows(record.payload)[0]
            if rows.device == "water-meter"
            for integer in rows.columns[0].integers
            if integer is not None
        ]


async def test_an_agent_counts_on_after_a_restart(tmp_path: Path) -> None:
    chip, site = FakeChip(), site_file(tmp_path, SITE.replace("GPIO27", "27"))
    site.write_text(f"data_dir: {tmp_path}/edge\nmqtt: {{port: 9}}\npoll_interval_s: 0.2\n{site.read_text()}")
    first = await counted(site, chip, 5)
    assert first[-1] == 5
    both = await counted(site, chip, 2)
    assert both[-1] == 7
    assert both == sorted(both)


@pytest.mark.parametrize(
    ("written", "instead", "problem"),
    [
        (", input: {line: 17}", "", "line 'inputs': water-meter needs its `input`, such as {line: 17}"),
        ("{line: GPIO27,", "{line: 17,", "line 'inputs': two devices have input line 17"),
        ("pulses/gpio, input: {line: 17}", "eastron/sdm120, input: {line: 17}", "profile pulses/gpio, and nothing"),
        ("gpio: {chip: /dev/gpiochip0}", "tcp: {host: h}", "water-meter has an `input`, which only gpio lines have"),
        ("{line: 17}", "{line: -1}", "line"),
    ],
)
def test_mistakes_with_inputs_are_named(tmp_path: Path, written: str, instead: str, problem: str) -> None:
    assert written in SITE
    with pytest.raises(ConfigurationError, match=problem.replace("{", r"\{")):
        installed_lines(load_site(site_file(tmp_path, SITE.replace(written, instead))))


def test_an_agent_without_the_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "gpiod", None)
    with pytest.raises(AgentConfigurationError, match=r"pip install 'leanmeter\[gpio\]'"):
        kernel_lines()
