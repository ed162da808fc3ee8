"""One message out of the notices that are due for somebody. Pure."""

from collections.abc import Sequence

from languages.texts import Texts
from notifications import mail_page
from notifications.alarm import Notice, Stage
from notifications.alarm_texts import AlarmWriter
from notifications.content import Content
from notifications.site_names import SiteNames
from notifications.times import rfc3339

MAXIMUM_TOLD = 20
"""So many alarms are written out in one message; of the others it says how many there are."""

_ORDER = (Stage.BEGAN, Stage.PASSED, Stage.REMINDER, Stage.ENDED, Stage.WITHDRAWN)
_OVER = frozenset({Stage.ENDED, Stage.WITHDRAWN})


def alarm_message(texts: Texts, names: SiteNames, notices: Sequence[Notice]) -> Content:
    """What began first, then what lasts, then what is over."""
    _, ngettext = texts.gettext, texts.ngettext
    ordered = sorted(notices, key=lambda notice: _ORDER.index(notice.stage))
    writer = AlarmWriter(texts, names)
    written = [(notice, writer.write(notice)) for notice in ordered]
    labels = {
        Stage.BEGAN: _("Look"),
        Stage.PASSED: _("Was"),
        Stage.REMINDER: _("Still"),
        Stage.ENDED: _("Over"),
        Stage.WITHDRAWN: _("Over"),
    }
    lines = [(f"{labels[notice.stage]}: {text.title}", text.sentence, notice) for notice, text in written]
    more = len(lines) - MAXIMUM_TOLD
    told = lines[:MAXIMUM_TOLD]
    rest = ngettext("{count} more.", "{count} more.", more).format(count=more) if more > 0 else ""
    subject = f"{names.name}: {lines[0][0]}"
    if len(lines) > 1:
        subject += ngettext(" (and {count} more)", " (and {count} more)", len(lines) - 1).format(count=len(lines) - 1)
    blocks = [
        mail_page.Block(title, sentence, mail_page.GREEN if notice.stage in _OVER else mail_page.AMBER)
        for title, sentence, notice in told
    ]
    if rest:
        blocks.append(mail_page.Block("", rest, mail_page.SOFT))
    paragraphs = [names.name, *(f"{title}\n{sentence}" for title, sentence, __ in told), *([rest] if rest else [])]
    return Content(
        subject=subject,
        text="\n\n".join(paragraphs) + "\n",
        html=mail_page.page(texts, names.name, blocks, None, _("Leanmeter watches this site for you.")),
        data={"type": "alarms", "alarms": [_as_data(notice) for notice in ordered]},
    )


def _as_data(notice: Notice) -> dict[str, object]:
    return {
        "kind": notice.kind.value,
        "subject": notice.subject,
        "stage": notice.stage.value,
        "began": rfc3339(notice.began_ms),
        "ended": None if notice.ended_ms is None else rfc3339(notice.ended_ms),
        "facts": dict(notice.facts),
    }
