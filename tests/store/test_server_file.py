from pathlib import Path

import pytest
import yaml

from site_config.errors import ConfigurationError
from store.factory import open_readings
from store.server_file import ServerFileError, load_server_file

GOOD = """
store: {sqlite: readings.sqlite}
entities: entities.sqlite
collector:
  mqtt: {host: 127.0.0.1, port: 1883, username: collector, password_file: password}
  sites: [site.yaml]
evaluation: {interval_s: 5, gap_limit_s: 90}
visit: {site: my-bakery, host: 0.0.0.0, port: 8081, example: true}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "server.yaml"
    path.write_text(text)
    return path


def test_a_file_as_documented(tmp_path: Path) -> None:
    settings = load_server_file(written(tmp_path, GOOD))
    assert settings.collector.mqtt.port == 1883
    assert settings.collector.sites == (Path("site.yaml"),)
    assert (settings.evaluation.interval_s, settings.evaluation.gap_limit_s) == (5, 90)
    assert (settings.visit.site, settings.visit.port) == ("my-bakery", 8081)
    assert settings.retention_days() == 30
    settings = load_server_file(written(tmp_path, GOOD.replace("sites:", "raw_retention_days: 400\n  sites:")))
    assert settings.retention_days() == 400


def test_the_example_of_the_documentation_has_every_key() -> None:
    path = Path(__file__).parents[2] / "docs" / "server-file.example.yaml"
    written_keys = yaml.safe_load(path.read_text(encoding="utf-8"))
    settings = load_server_file(path)
    for section in ("collector", "evaluation", "visit"):
        assert set(written_keys[section]) == set(type(getattr(settings, section)).model_fields)


@pytest.mark.parametrize("sections", ["", "collector:\nevaluation:\nvisit:\n"])
def test_store_and_entities_are_enough(tmp_path: Path, sections: str) -> None:
    settings = load_server_file(written(tmp_path, GOOD[: GOOD.index("collector:")] + sections))
    assert (settings.collector.mqtt.host, settings.collector.sites) == ("127.0.0.1", ())
    assert (settings.evaluation.interval_s, settings.visit.site) == (2.0, None)


def test_influxdb_keeps_its_own_retention_unless_told(tmp_path: Path) -> None:
    text = GOOD.replace("{sqlite: readings.sqlite}", "{influx: {url: 'http://x:8086', token: t, org: o, bucket: b}}")
    assert load_server_file(written(tmp_path, text)).retention_days() is None
    assert "'t'" not in repr(load_server_file(written(tmp_path, text)))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("entities:", "entites:", r"entities: is missing.*entites: unknown key|entites: unknown key"),
        ("port: 1883", "port: 99999", r"collector\.mqtt\.port: .*65535"),
        ("{sqlite: readings.sqlite}", "{}", "store: needs exactly one of sqlite, influx"),
        ("{sqlite: readings.sqlite}", "{influx: {url: 'x:8086', org: o, bucket: b, token: t}}", r"store\.influx\.url"),
        (
            "{sqlite: readings.sqlite}",
            "{influx: {url: 'http://x', org: o, bucket: b}}",
            r"store\.influx: needs exactly one of token, token_file",
        ),
        ("sites: [site.yaml]", "raw_retention_days: 0", r"collector\.raw_retention_days"),
        ("sites:", "site:", r"collector\.site: unknown key"),
        ("sites: [site.yaml]", "sites: [site.yaml, ./site.yaml]", r"collector\.sites: site.yaml stands there twice"),
        ("entities: entities.sqlite", "entities: readings.sqlite", "entities: must be another file than store.sqlite"),
        (
            "{sqlite: readings.sqlite}",
            "{influx: {url: 'http://x', org: o, bucket: b, token: ''}}",
            r"store\.influx\.token: must not be empty",
        ),
        ("interval_s: 5", "interval_s: 0", r"evaluation\.interval_s: .*0\.1"),
        ("gap_limit_s", "gap_limit", r"evaluation\.gap_limit: unknown key"),
        ("my-bakery", "My Bakery", r"visit\.site: 'My Bakery' must be lower-case"),
        ("example: true", "exampel: true", r"visit\.exampel: unknown key"),
        ("visit:", "vist:", "vist: unknown key"),
        ("visit: {site: my-bakery, host: 0.0.0.0, port: 8081, example: true}", "visit: 8080", "visit: .*8080"),
    ],
)
def test_a_mistake_is_named_with_file_and_key_in_one_line(tmp_path: Path, old: str, new: str, words: str) -> None:
    with pytest.raises(ServerFileError, match=words) as caught:
        load_server_file(written(tmp_path, GOOD.replace(old, new)))
    assert "server.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_token_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "no-token"
    influx = f"{{influx: {{url: 'http://x:8086', token_file: {missing}, org: o, bucket: b}}}}"
    settings = load_server_file(written(tmp_path, GOOD.replace("{sqlite: readings.sqlite}", influx)))
    with pytest.raises(ConfigurationError, match=r"store\.influx\.token_file: .*no-token"):
        open_readings(settings.store)
    missing.write_text("\n")
    with pytest.raises(ConfigurationError, match="is empty"):
        open_readings(settings.store)
