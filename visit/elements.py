"""The page's own few elements: plain HTML with a class, none of Quasar's looks."""

from nicegui import ui
from nicegui.element import Element
from nicegui.elements.mixins.text_element import TextElement


def text_element(tag: str, classes: str, text: str = "") -> TextElement:
    """An element that holds text."""
    return TextElement(tag=tag, text=text).classes(classes)


def box(classes: str, tag: str = "div") -> Element:
    """An element that holds others."""
    return ui.element(tag).classes(classes)


def set_class(element: Element, classes: str) -> None:
    """Give it these classes; the browser hears only of a change."""
    if element.classes != classes.split():
        element.classes(replace=classes)
