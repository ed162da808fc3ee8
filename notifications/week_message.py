"""The week's message: picture and three sentences. Pure."""

from collections.abc import Sequence

from languages import formats
from languages.texts import Texts
from notifications import mail_page
from notifications.content import Content
from notifications.site_names import SiteNames
from notifications.week import Week
from notifications.week_picture import draw_week
from notifications.week_texts import WeekWriter


def week_message(texts: Texts, names: SiteNames, week: Week, open_alarms: Sequence[str]) -> Content:
    """The week of a site; `open_alarms` are the titles of what is wrong now."""
    _ = texts.gettext
    span = formats.week(week.first, week.last, texts.locale)
    title = _("{site}: the week {span}").format(site=names.name, span=span)
    sentences = WeekWriter(texts, names).sentences(week, open_alarms)
    found = week.comparison
    colours = [
        mail_page.AMBER if found is not None and found.amount > found.upper else mail_page.GREEN,
        mail_page.GREEN,
        mail_page.AMBER,
    ]
    return Content(
        subject=title,
        text="\n\n".join([title, *sentences]) + "\n",
        html=mail_page.page(
            texts,
            title,
            [mail_page.Block("", sentence, colour) for sentence, colour in zip(sentences, colours, strict=True)],
            " ".join(sentences),
            _("Leanmeter sends this once a week."),
        ),
        picture=draw_week(week, names.name, texts),
        data={"type": "week", "week": _as_data(week)},
    )


def _as_data(week: Week) -> dict[str, object]:
    found = week.comparison
    return {
        "first_day": week.first.isoformat(),
        "last_day": week.last.isoformat(),
        "amount_kwh": week.amount,
        "coverage": round(week.coverage, 4),
        "goal_kwh": week.goal,
        "judged_days": 0 if found is None else found.days,
        "judged_amount_kwh": None if found is None else found.amount,
        "expected_kwh": None if found is None else found.expected,
        "lower_kwh": None if found is None else found.lower,
        "upper_kwh": None if found is None else found.upper,
        "peak_kw": week.peak_kw,
        "days": [
            {"day": day.day.isoformat(), "amount_kwh": day.amount, "expected_kwh": day.expected, "goal_kwh": day.goal}
            for day in week.days
        ],
    }
