"""A week in three sentences: use against expected, the days that stand out, the one thing to look at. Pure."""

from collections.abc import Sequence
from datetime import date, datetime

from languages import formats
from languages.texts import Texts
from notifications.site_names import SiteNames
from notifications.week import DAYS, WHOLE, Comparison, Week
from store.schema import ENERGY

# A lowest demand that makes up less than this of all is no base load to speak of.
_BASE_SHARE = 0.25
_SAME = 0.005
"""Less than this is shown as 0 %."""


class WeekWriter:
    """Writes weeks of a site in a language."""

    def __init__(self, texts: Texts, names: SiteNames) -> None:
        self._texts = texts
        self._names = names

    def sentences(self, week: Week, open_alarms: Sequence[str]) -> tuple[str, str, str]:
        """The three; `open_alarms` are the titles of what is wrong now, the weightiest first."""
        return self._use(week), self._days(week), self._look_at(week, open_alarms)

    def _use(self, week: Week) -> str:
        _ = self._texts.gettext
        amount = week.amount
        if amount is None:
            return _("Nothing was measured this week.")
        what = _("energy") if week.resource == ENERGY else _("electricity")
        comparison = week.comparison
        if comparison is not None:
            return self._compared(comparison, what)
        locale = self._texts.locale
        told = {"amount": formats.amount(amount, locale), "what": what}
        share = amount / week.before - 1 if week.before else None
        told["percent"] = formats.percent(abs(share or 0.0), locale)
        if share is None:
            sentence = _("{amount} kWh of {what} were used")
        elif abs(share) < _SAME:
            sentence = _("{amount} kWh of {what} were used, as much as the week before")
        elif share < 0:
            sentence = _("{amount} kWh of {what} were used, {percent} less than the week before")
        else:
            sentence = _("{amount} kWh of {what} were used, {percent} more than the week before")
        return sentence.format(**told) + _("; there is no baseline yet that would tell whether that is much.")

    def _compared(self, found: Comparison, what: str) -> str:
        _, ngettext, locale = self._texts.gettext, self._texts.ngettext, self._texts.locale
        told = {
            "what": what,
            "amount": formats.amount(found.amount, locale),
            "expected": formats.amount(found.expected, locale),
            "lower": formats.amount(found.lower, locale),
            "upper": formats.amount(found.upper, locale),
            "percent": formats.percent(abs(found.excess), locale),
        }
        if found.amount < found.lower:
            sentence = _(
                "{amount} kWh of {what} were used, {percent} less than the {expected} kWh expected: a real saving, "
                "below the band of {lower} to {upper}"
            )
        elif found.amount > found.upper:
            sentence = _(
                "{amount} kWh of {what} were used, {percent} more than the {expected} kWh expected: too much, above "
                "the band of {lower} to {upper}"
            )
        elif found.excess < 0:
            sentence = _(
                "{amount} kWh of {what} were used, {percent} less than the {expected} kWh expected, but within the "
                "band of {lower} to {upper}: not yet proven"
            )
        else:
            sentence = _(
                "{amount} kWh of {what} were used, {percent} more than the {expected} kWh expected, but within the "
                "band of {lower} to {upper}"
            )
        days = ""
        if found.days < DAYS:
            days = ngettext(
                " (only {count} day can be judged)", " (only {count} days can be judged)", found.days
            ).format(count=found.days)
        return sentence.format(**told) + days + "."

    def _days(self, week: Week) -> str:
        _, locale = self._texts.gettext, self._texts.locale
        measured = week.working_days
        judged = [day for day in measured if day.judged]
        if len(judged) > 1:
            best = min(judged, key=lambda day: day.excess)
            sentence = (
                _("{day} was the best day, {percent} less than expected")
                if best.excess < 0
                else _("{day} was the best day, and still {percent} more than expected")
            ).format(day=self._weekday(best.day), percent=formats.percent(abs(best.excess), locale))
        elif len(measured) > 1:
            most = max(measured, key=lambda day: day.amount or 0.0)
            least = min(measured, key=lambda day: day.amount or 0.0)
            sentence = _("{most} used most ({most_amount} kWh), {least} least ({least_amount} kWh)").format(
                most=self._weekday(most.day),
                most_amount=formats.amount(most.amount or 0.0, locale),
                least=self._weekday(least.day),
                least_amount=formats.amount(least.amount or 0.0, locale),
            )
        else:
            sentence = _("There are too few days to compare")
        if week.peak_kw is not None and week.peak_ms is not None:
            peak = datetime.fromtimestamp(week.peak_ms / 1000, self._names.time_zone)
            sentence += _("; the highest demand was {demand} kW on {day} at {time}").format(
                demand=formats.amount(week.peak_kw, locale),
                day=self._weekday(peak.date()),
                time=formats.time_of_day(peak, locale),
            )
        return sentence[:1].upper() + sentence[1:] + "."

    def _look_at(self, week: Week, open_alarms: Sequence[str]) -> str:
        _, locale = self._texts.gettext, self._texts.locale
        if week.coverage < WHOLE:
            return _("Look at the measuring: {percent} of the week is missing.").format(
                percent=formats.percent(1 - week.coverage, locale)
            )
        if open_alarms:
            return _("Look at this, it lasts still: {alarm}.").format(alarm=open_alarms[0])
        above = [day for day in week.days if day.judged and (day.amount or 0.0) > (day.upper or 0.0)]
        if above:
            worst = max(above, key=lambda day: day.excess)
            return _("Look at {day}: {percent} more than expected, and above the band.").format(
                day=self._weekday(worst.day), percent=formats.percent(worst.excess, locale)
            )
        share = week.base_share
        if share is not None and share >= _BASE_SHARE and week.base_kw is not None:
            return _(
                "Look at nights and breaks: the site never draws less than {base} kW, which makes {percent} of its "
                "electricity."
            ).format(base=formats.amount(week.base_kw, locale), percent=formats.percent(min(share, 1.0), locale))
        return _("Nothing else stands out.")

    def _weekday(self, day: date) -> str:
        return formats.weekday(day, self._texts.locale)
