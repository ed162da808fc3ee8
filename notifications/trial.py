"""A message that shows whether messages arrive. Pure."""

from collections.abc import Sequence

from languages.texts import Texts
from notifications import mail_page
from notifications.content import Content


def trial_message(texts: Texts, sites: Sequence[str]) -> Content:
    """What `leanmeter notifications test` sends; without sites it is about all of them."""
    _ = texts.gettext
    subject = _("Leanmeter: test message")
    text = _("This is a test. Messages about {sites} will arrive here.").format(
        sites=", ".join(sites) or _("all sites")
    )
    return Content(
        subject=subject,
        text=f"{subject}\n\n{text}\n",
        html=mail_page.page(texts, subject, [mail_page.Block("", text)], None, ""),
        data={"type": "test"},
    )
