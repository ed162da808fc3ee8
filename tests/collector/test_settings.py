from pathlib import Path

import pytest

from collector.settings import CollectorFileError, load_collector_config
from site_config.errors import ConfigurationError
from store.factory import open_readings

GOOD = """
mqtt: {host: 127.0.0.1, port: 1883, username: collector, password_file: password}
store: {sqlite: readings.sqlite}
entities: entities.sqlite
sites: [site.yaml]
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "collector.yaml"
    path.write_text(text)
    return path


def test_a_file_as_documented(tmp_path: Path) -> None:
    settings = load_collector_config(written(tmp_path, GOOD))
    assert settings.mqtt.port == 1883
    assert settings.sites == (Path("site.yaml"),)
    assert settings.retention_days() == 30
    settings = load_collector_config(written(tmp_path, GOOD + "raw_retention_days: 400\n"))
    assert settings.retention_days() == 400


def test_influxdb_keeps_its_own_retention_unless_told(tmp_path: Path) -> None:
    text = GOOD.replace("{sqlite: readings.sqlite}", "{influx: {url: 'http://x:8086', token: t, org: o, bucket: b}}")
    assert load_collector_config(written(tmp_path, text)).retention_days() is None
    assert "'t'" not in repr(load_collector_config(written(tmp_path, text)))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("entities:", "entites:", r"entities: is missing.*entites: unknown key|entites: unknown key"),
        ("port: 1883", "port: 99999", r"mqtt\.port: .*65535"),
        ("{sqlite: readings.sqlite}", "{}", "store: needs exactly one of sqlite, influx"),
        ("{sqlite: readings.sqlite}", "{influx: {url: 'x:8086', org: o, bucket: b, token: t}}", r"store\.influx\.url"),
        (
            "{sqlite: readings.sqlite}",
            "{influx: {url: 'http://x', org: o, bucket: b}}",
            r"store\.influx: needs exactly one of token, token_file",
        ),
        ("sites: [site.yaml]", "raw_retention_days: 0", "raw_retention_days"),
    ],
)
def test_a_mistake_is_named_with_file_and_key_in_one_line(tmp_path: Path, old: str, new: str, words: str) -> None:
    with pytest.raises(CollectorFileError, match=words) as caught:
        load_collector_config(written(tmp_path, GOOD.replace(old, new)))
    assert "collector.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_token_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "no-token"
    influx = f"{{influx: {{url: 'http://x:8086', token_file: {missing}, org: o, bucket: b}}}}"
    settings = load_collector_config(written(tmp_path, GOOD.replace("{sqlite: readings.sqlite}", influx)))
    with pytest.raises(ConfigurationError, match=r"store\.influx\.token_file: .*no-token"):
        open_readings(settings.store)
    missing.write_text("\n")
    with pytest.raises(ConfigurationError, match="is empty"):
        open_readings(settings.store)
