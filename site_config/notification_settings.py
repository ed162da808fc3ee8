"""Who is told what, how, and when not: the section `notifications` of `server.yaml`."""

from collections.abc import Collection
from datetime import time
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from site_config.schema import Port, Slug
from site_config.yaml_file import StrictModel

_MOST_NAMED = 10

Url = Annotated[str, Field(pattern=r"^https?://[^\s]+$", max_length=2000)]


class AlarmKind(StrEnum):
    """What can be wrong; the same as Grafana's alert rules."""

    NO_DATA = "no_data"
    DEVICE_SILENT = "device_silent"
    OVER_PEAK = "over_peak"
    OVER_EXPECTED = "over_expected"
    NIGHT_FLOW = "night_flow"
    OUTBOX_FILLING = "outbox_filling"
    RECONCILIATION = "reconciliation"
    QUARANTINE = "quarantine"


URGENT = frozenset({AlarmKind.OVER_PEAK, AlarmKind.OUTBOX_FILLING})
"""What passes quiet hours unless a recipient says otherwise: only these cost something by waiting until the morning.

A demand peak is billed for a month or a year and can be prevented only while it happens; from a full outbox readings
are thinned out and at last cut. All else is as good to know at seven.
"""


def _time_of_day(value: Any) -> Any:
    """YAML takes 7:30 without quotes for a number to the base of 60, which pydantic would take for seconds."""
    return time(*divmod(value, 60)) if type(value) is int and 0 <= value < 24 * 60 else value


def _time_span(value: Any) -> Any:
    """From "21:00-07:00" to two times."""
    if not isinstance(value, str):
        return value
    parts = value.split("-")
    try:
        start, end = (time.fromisoformat(part.strip().zfill(5)) for part in parts)
    except ValueError as problem:
        raise ValueError('is no span of time; write it as "21:00-07:00"') from problem
    return {"start": start, "end": end}


class _Span(StrictModel):
    start: time
    end: time

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.start == self.end:
            raise ValueError('begins when it ends; write it as "21:00-07:00"')
        if self.start.tzinfo or self.end.tzinfo:
            raise ValueError("is in the site's own time; leave the zone out")
        return self


TimeSpan = Annotated[_Span, BeforeValidator(_time_span)]
"""A part of each day in the site's time, such as "21:00-07:00"; it may go over midnight."""


class SmtpSettings(StrictModel):
    """The server that takes e-mail. Without encryption only to this machine itself, or where nobody logs in."""

    host: Annotated[str, Field(min_length=1)]
    port: Port = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str | None = None
    password_file: Path | None = None
    sender: Annotated[str, Field(pattern=r"^[^@\s<>]+@[^@\s<>]+$")]
    ca_file: Path | None = None
    timeout_s: Annotated[float, Field(gt=0, le=300)] = 30.0

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if (self.username is None) != (self.password_file is None):
            raise ValueError("username and password_file go together")
        if self.security == "none" and self.username is not None and not _is_loopback(self.host):
            raise ValueError("security none would send the password readable by everyone; use starttls or tls")
        return self


class TelegramSettings(StrictModel):
    """A bot, whose token @BotFather gives. `base_url` is another than Telegram's own where a proxy stands between."""

    token_file: Path
    base_url: Url = "https://api.telegram.org"
    timeout_s: Annotated[float, Field(gt=0, le=300)] = 30.0


class WebhookSettings(StrictModel):
    """An address that takes a JSON body by POST; with a secret the body is signed."""

    url: Url
    secret_file: Path | None = None
    timeout_s: Annotated[float, Field(gt=0, le=300)] = 30.0


class RecipientSettings(StrictModel):
    """Somebody who is told. `telegram` is the number of the chat; without `sites` it is all of them."""

    id: Slug
    language: Annotated[str, Field(min_length=2, max_length=20)] = "en"
    sites: Annotated[tuple[Slug, ...], Field(max_length=10_000)] = ()
    email: Annotated[str, Field(pattern=r"^[^@\s<>,]+@[^@\s<>,]+$", max_length=254)] | None = None
    telegram: Annotated[str, Field(pattern=r"^(-?\d{1,20}|@\w{1,64})$")] | None = None
    webhook: WebhookSettings | None = None
    quiet_hours: TimeSpan | None = None
    alarms: frozenset[AlarmKind] = frozenset(AlarmKind)
    through_quiet_hours: frozenset[AlarmKind] = URGENT
    weekly: bool = True

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.email is None and self.telegram is None and self.webhook is None:
            raise ValueError(f"recipient {self.id!r} needs at least one of email, telegram, webhook")
        return self


class AlarmSettings(StrictModel):
    """When something is wrong, for all sites or, in `sites`, for one.

    Without `agreed_demand_kw` the highest 15 minutes of the last three months stand for it. `night` is when nobody uses
    water; a flow of less than `night_flow_l_per_h` is none.
    """

    no_data_after_s: Annotated[float, Field(ge=1, le=604_800)] = 900.0
    silent_after_s: Annotated[float, Field(ge=1, le=604_800)] = 1800.0
    settle_s: Annotated[float, Field(ge=0, le=86_400)] = 300.0
    agreed_demand_kw: Annotated[float, Field(gt=0)] | None = None
    night: TimeSpan = _Span(start=time(1), end=time(5))
    night_flow_l_per_h: Annotated[float, Field(ge=0)] = 20.0
    outbox_full_share: Annotated[float, Field(gt=0, le=1)] = 0.8


class WeeklySettings(StrictModel):
    """When last week's picture is sent, in the site's time; `day` 1 is Monday."""

    day: Annotated[int, Field(ge=1, le=7)] = 1
    at: Annotated[time, BeforeValidator(_time_of_day)] = time(7)


class NotificationsSection(StrictModel):
    """Who is told about what. `metrics_port` serves Prometheus at http://127.0.0.1:PORT/metrics."""

    recipients: Annotated[tuple[RecipientSettings, ...], Field(max_length=1000)] = ()
    smtp: SmtpSettings | None = None
    telegram: TelegramSettings | None = None
    alarms: AlarmSettings = AlarmSettings()
    sites: Annotated[dict[Slug, AlarmSettings], Field(default_factory=dict, max_length=10_000)]
    weekly: WeeklySettings = WeeklySettings()
    check_interval_s: Annotated[float, Field(ge=0.1, le=3600)] = 60.0
    metrics_port: Port | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        names = [recipient.id for recipient in self.recipients]
        for recipient in self.recipients:
            if names.count(recipient.id) > 1:
                raise ValueError(f"recipients: id {recipient.id!r} is used twice; each needs its own")
            if recipient.email is not None and self.smtp is None:
                raise ValueError(f"smtp: is missing, and recipient {recipient.id!r} is to get e-mail")
            if recipient.telegram is not None and self.telegram is None:
                raise ValueError(f"telegram: is missing, and recipient {recipient.id!r} is to get messages there")
        return self

    def unknown_sites(self, known: Collection[str]) -> list[str]:
        """A line for each site that is named here and is none of those known."""
        named = [(f"recipients: {each.id}: sites", site) for each in self.recipients for site in each.sites]
        named += [("sites", site) for site in self.sites]
        there_are = ", ".join(sorted(known)[:_MOST_NAMED])
        return [
            f"notifications.{key}: no site {site!r} is known; there are {there_are}"
            for key, site in named
            if site not in known
        ]

    def alarms_of(self, site: str) -> AlarmSettings:
        """The limits of a site."""
        return self.sites.get(site, self.alarms)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
