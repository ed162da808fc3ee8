"""What an alarm says to whoever can do something about it. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

from languages import formats
from languages.texts import Texts
from notifications.alarm import Notice, Stage
from notifications.site_names import SiteNames
from site_config.notification_settings import AlarmKind
from store.schema import MONTHS

_YEAR_H = 8760


@dataclass(frozen=True, slots=True)
class AlarmText:
    """`title` says what is wrong in a few words, `sentence` since when, how much, and what to do."""

    title: str
    sentence: str


class AlarmWriter:
    """Writes alarms of a site in a language."""

    def __init__(self, texts: Texts, names: SiteNames) -> None:
        self._texts = texts
        self._names = names

    def write(self, notice: Notice) -> AlarmText:
        """Title and sentence of a notice."""
        _ = self._texts.gettext
        text = {
            AlarmKind.NO_DATA: self._no_data,
            AlarmKind.DEVICE_SILENT: self._device_silent,
            AlarmKind.OVER_PEAK: self._over_peak,
            AlarmKind.OVER_EXPECTED: self._over_expected,
            AlarmKind.NIGHT_FLOW: self._night_flow,
            AlarmKind.OUTBOX_FILLING: self._outbox_filling,
            AlarmKind.RECONCILIATION: self._reconciliation,
            AlarmKind.QUARANTINE: self._quarantine,
        }[notice.kind](notice)
        # Silence began with the last reading, not when it was noticed.
        since = self._moment(self._whole(notice, "since_ms") or notice.began_ms)
        if notice.ended_ms is None:
            if notice.stage is Stage.REMINDER:
                return AlarmText(text.title, _("Still, since {time}. {what}").format(time=since, what=text.sentence))
            return text
        until = self._moment(notice.ended_ms)
        if notice.stage is Stage.WITHDRAWN:
            return AlarmText(text.title, _("This is no longer watched; it began {time}.").format(time=since))
        if notice.stage is Stage.PASSED:
            sentence = _("Began {start} and was over {end}. {what}")
            return AlarmText(text.title, sentence.format(start=since, end=until, what=text.sentence))
        return AlarmText(text.title, _("All well again since {end}; it began {start}.").format(start=since, end=until))

    def _no_data(self, notice: Notice) -> AlarmText:
        _ = self._texts.gettext
        return AlarmText(
            # The message names the site already.
            _("No data from {edge}").format(edge=notice.subject) if notice.subject else _("No data"),
            _(
                "Nothing has arrived since {time}. Check whether the measuring box has power and network. What it "
                "measures meanwhile stays on its disk and follows."
            ).format(time=self._moment(self._whole(notice, "since_ms"))),
        )

    def _device_silent(self, notice: Notice) -> AlarmText:
        _ = self._texts.gettext
        return AlarmText(
            _("{device} is silent").format(device=self._names.device(notice.subject)),
            _("It has given no reading since {time}. Check its power and its cable.").format(
                time=self._moment(self._whole(notice, "since_ms"))
            ),
        )

    def _over_peak(self, notice: Notice) -> AlarmText:
        _ = self._texts.gettext
        demand, limit = (self._number(notice, name) for name in ("demand_kw", "limit_kw"))
        locale = self._texts.locale
        told = {
            "demand": formats.amount(demand, locale),
            "limit": formats.amount(limit, locale),
            "excess": formats.amount(demand - limit, locale),
            "time": self._moment(self._whole(notice, "start_ms")),
        }
        if notice.facts["agreed"]:
            title = _("Demand {demand} kW, {limit} kW are agreed")
            sentence = _(
                "In the 15 minutes from {time} the site drew {demand} kW, {excess} kW more than agreed with the "
                "supplier. What can wait should be switched off now."
            )
        else:
            title = _("Demand {demand} kW, the highest in three months")
            sentence = _(
                "In the 15 minutes from {time} the site drew {demand} kW; the highest of the last three months was "
                "{limit} kW. What can wait should be switched off now."
            )
        return AlarmText(title.format(**told), sentence.format(**told))

    def _over_expected(self, notice: Notice) -> AlarmText:
        _ = self._texts.gettext
        locale = self._texts.locale
        day = self._local(self._whole(notice, "day_ms")).date()
        amount, expected, upper = (self._number(notice, name) for name in ("amount", "expected", "upper"))
        share = amount / expected - 1 if expected > 0 else 0.0
        told = {
            "percent": formats.percent(share, locale),
            "unit": {"water": "m³", "waste": "kg"}.get(notice.subject, "kWh"),
            "day": f"{formats.weekday(day, locale)}, {formats.day_and_month(day, locale)}",
            "amount": formats.amount(amount, locale),
            "expected": formats.amount(expected, locale),
            "upper": formats.amount(upper, locale),
        }
        titles = {
            "energy": _("{percent} more energy than expected"),
            "electricity": _("{percent} more electricity than expected"),
            "water": _("{percent} more water than expected"),
            "waste": _("{percent} more waste than expected"),
        }
        if "rows" in notice.facts:
            first = day.replace(day=1) if notice.facts["rows"] == MONTHS else day - timedelta(days=6)
            told["first"] = formats.day_and_month(first, locale)
            told["day"] = formats.day_and_month(day, locale)
            sentence = _(
                "{first} to {day}: it was {amount} {unit}; {expected} {unit} were expected for what was produced, and "
                "up to {upper} {unit} would have been usual. What ran then that does not run otherwise?"
            )
        else:
            sentence = _(
                "{day}: it was {amount} {unit}; {expected} {unit} were expected for what was produced, and up to "
                "{upper} {unit} would have been usual. What ran that day that does not run on others?"
            )
        return AlarmText(titles[notice.subject].format(**told), sentence.format(**told))

    def _night_flow(self, notice: Notice) -> AlarmText:
        _ = self._texts.gettext
        locale = self._texts.locale
        least_l = self._number(notice, "least_l_per_h")
        told = {
            "start": self._time(self._whole(notice, "start_ms")),
            "end": self._time(self._whole(notice, "end_ms")),
            "least": formats.amount(least_l, locale),
            "volume": formats.amount(least_l * _YEAR_H / 1000, locale),
        }
        return AlarmText(
            _("Water never stops at night: {point}").format(point=self._names.point(notice.subject)),
            _(
                "Between {start} and {end} at least {least} litres an hour flowed; a leak like that takes {volume} m³ "
                "a year. Look for running toilets, open taps and wet ground."
            ).format(**told),
        )

    def _outbox_filling(self, notice: Notice) -> AlarmText:
        _ = self._texts.gettext
        share = formats.percent(self._number(notice, "share"), self._texts.locale)
        return AlarmText(
            _("Memory of {edge} is {percent} full").format(edge=notice.subject, percent=share),
            _(
                "Its readings cannot be delivered. When it is full, older readings are thinned out (energy stays "
                "exact). Check the network between the measuring box and the collector."
            ),
        )

    def _reconciliation(self, notice: Notice) -> AlarmText:
        _ = self._texts.gettext
        locale = self._texts.locale
        told, stored = (self._number(notice, name) for name in ("told", "stored"))
        # Days that are compared are those of UTC.
        day = datetime.fromtimestamp(self._whole(notice, "day_ms") / 1000, UTC).date()
        words = {
            "edge": notice.subject,
            "day": formats.day_and_month(day, locale),
            "device": self._names.device(str(notice.facts.get("device", ""))),
            "told": formats.number(told, 0, locale),
            "stored": formats.number(stored, 0, locale),
        }
        if stored < told:
            sentence = _(
                "On {day} the measuring box took {told} values from {device}, and {stored} are stored. Ask whoever "
                "looks after Leanmeter."
            )
        else:
            sentence = _(
                "On {day} a total of {device} rose otherwise in the store than in the measuring box. Ask whoever looks "
                "after Leanmeter."
            )
        return AlarmText(_("Readings of {edge} do not add up").format(**words), sentence.format(**words))

    def _quarantine(self, notice: Notice) -> AlarmText:
        count = self._whole(notice, "entries")
        ngettext = self._texts.ngettext
        _ = self._texts.gettext
        number = formats.number(count, 0, self._texts.locale)
        return AlarmText(
            _("Readings of {edge} were set aside").format(edge=notice.subject),
            ngettext(
                "{count} entry could not be stored and is kept apart. Ask whoever looks after Leanmeter.",
                "{count} entries could not be stored and are kept apart. Ask whoever looks after Leanmeter.",
                count,
            ).format(count=number),
        )

    def _local(self, time_ms: int) -> datetime:
        return datetime.fromtimestamp(time_ms / 1000, self._names.time_zone)

    def _moment(self, time_ms: int) -> str:
        return formats.moment(self._local(time_ms), self._texts.locale)

    def _time(self, time_ms: int) -> str:
        return formats.time_of_day(self._local(time_ms), self._texts.locale)

    @staticmethod
    def _number(notice: Notice, name: str) -> float:
        return float(cast("float", notice.facts.get(name, 0.0)))

    @staticmethod
    def _whole(notice: Notice, name: str) -> int:
        return int(cast("int", notice.facts.get(name, 0)))
