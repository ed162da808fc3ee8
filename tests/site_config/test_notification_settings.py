import re
from datetime import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from site_config.errors import ConfigurationError
from site_config.notification_settings import URGENT, AlarmKind, NotificationsSection
from site_config.secret_file import read_secret
from site_config.yaml_file import explain

SMTP = {"host": "mail.example.org", "sender": "leanmeter@example.org"}
ANA = {"id": "ana", "email": "ana@example.org"}


def section(**keys: Any) -> NotificationsSection:
    return NotificationsSection.model_validate({"smtp": SMTP, "recipients": [ANA], **keys})


def test_what_is_left_out() -> None:
    found = section()
    ana = found.recipients[0]
    assert (ana.language, ana.sites, ana.quiet_hours, ana.weekly) == ("en", (), None, True)
    assert ana.alarms == frozenset(AlarmKind)
    assert ana.through_quiet_hours == URGENT
    assert found.alarms_of("bakery").agreed_demand_kw is None
    assert (found.weekly.day, found.weekly.at) == (1, time(7))


def test_times_with_and_without_quotes_of_yaml() -> None:
    quiet = section(recipients=[{**ANA, "quiet_hours": "21:30-7:00"}]).recipients[0].quiet_hours
    assert quiet is not None
    assert (quiet.start, quiet.end) == (time(21, 30), time(7))
    assert section(weekly={"at": 7 * 60 + 30}).weekly.at == time(7, 30)
    assert section(weekly={"at": "07:30"}).weekly.at == time(7, 30)


def test_a_site_has_limits_of_its_own() -> None:
    found = section(alarms={"agreed_demand_kw": 40}, sites={"laundry": {"agreed_demand_kw": 90}})
    assert found.alarms_of("bakery").agreed_demand_kw == 40
    assert found.alarms_of("laundry").agreed_demand_kw == 90


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({"recipients": [{"id": "ana"}]}, "'ana' needs at least one of email, telegram, webhook"),
        ({"recipients": [ANA, ANA]}, "id 'ana' is used twice"),
        ({"smtp": None}, "smtp: is missing, and recipient 'ana' is to get e-mail"),
        ({"recipients": [{"id": "ana", "telegram": "123"}]}, "telegram: is missing"),
        ({"recipients": [{**ANA, "email": "ana"}]}, r"recipients\[0\].email"),
        ({"recipients": [{**ANA, "quiet_hours": "at night"}]}, "is no span of time"),
        ({"recipients": [{**ANA, "quiet_hours": "07:00-07:00"}]}, "begins when it ends"),
        ({"recipients": [{**ANA, "alarms": ["fire"]}]}, r"recipients\[0\].alarms"),
        ({"smtp": {**SMTP, "username": "ana"}}, "go together"),
        ({"smtp": {**SMTP, "security": "none", "username": "a", "password_file": "p"}}, "readable by everyone"),
    ],
)
def test_mistakes_are_told_in_one_line(keys: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError) as refused:
        section(**keys)
    told = explain(refused.value)
    assert "\n" not in told
    assert re.search(why, told), told


def test_this_machine_may_be_spoken_to_in_the_clear() -> None:
    smtp = {**SMTP, "host": "127.0.0.1", "security": "none", "username": "a", "password_file": "p"}
    assert section(smtp=smtp).smtp is not None


def test_secrets_are_alone_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "token"
    with pytest.raises(ConfigurationError, match=r"telegram.token_file: .*token: cannot be read"):
        read_secret(path, "telegram.token_file")
    path.write_text("\n")
    with pytest.raises(ConfigurationError, match="is empty"):
        read_secret(path, "telegram.token_file")
    path.write_text("123:abc\n")
    assert read_secret(path, "telegram.token_file") == "123:abc"
