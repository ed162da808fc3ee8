"""The HTML of messages: tables and inline styles, which every mail program shows alike. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from languages.texts import Texts

GREEN, AMBER, INK, SOFT = "#0b6b4d", "#b45309", "#16211c", "#51605a"
_RIGHT_TO_LEFT = "right-to-left"


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph with an optional heading; `colour` marks its edge."""

    heading: str
    text: str
    colour: str = GREEN


def page(texts: Texts, title: str, blocks: Sequence[Block], picture_alternative: str | None, footer: str) -> str:
    """A whole page, readable on a phone; the picture, where there is one, is `cid:picture`."""
    direction = "rtl" if texts.locale.character_order == _RIGHT_TO_LEFT else "ltr"
    side = "right" if direction == "rtl" else "left"
    picture = ""
    if picture_alternative is not None:
        picture = (
            f'<tr><td style="padding:0 0 16px"><img src="cid:picture" alt="{escape(picture_alternative)}" width="560" '
            'style="display:block;width:100%;max-width:560px;height:auto;border:0"></td></tr>'
        )
    rows = "".join(_block(block, side) for block in blocks)
    return (
        f'<!DOCTYPE html><html lang="{escape(texts.language)}" dir="{direction}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title></head>"
        f'<body style="margin:0;background:#f4f6f3;color:{INK}">'
        '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"><tr><td align="center" '
        'style="padding:16px 12px"><table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" '
        "style=\"max-width:560px;font:16px/1.5 -apple-system,'Segoe UI',Roboto,'Noto Sans',Arial,sans-serif\">"
        f'<tr><td style="padding:0 0 12px;font-size:21px;font-weight:700;line-height:1.3">{escape(title)}</td></tr>'
        f"{picture}{rows}"
        f'<tr><td style="padding:12px 0 0;font-size:13px;color:{SOFT}">{escape(footer)}</td></tr>'
        "</table></td></tr></table></body></html>"
    )


def _block(block: Block, side: str) -> str:
    heading = f'<div style="font-weight:700">{escape(block.heading)}</div>' if block.heading else ""
    return (
        f'<tr><td style="padding:0 0 12px"><table role="presentation" width="100%" cellpadding="0" cellspacing="0" '
        f'border="0"><tr><td style="background:#fff;border-{side}:4px solid {block.colour};padding:10px 14px">'
        f"{heading}<div>{escape(block.text)}</div></td></tr></table></td></tr>"
    )
