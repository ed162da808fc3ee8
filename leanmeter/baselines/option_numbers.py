"""Numbers that people give as options; whatever is none is said in one line that names the option."""

import argparse
import math


def number(text: str) -> float:
    """Any number that is finite."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is no number")
    return value


def amount(text: str) -> float:
    """A number that is not below zero."""
    value = number(text)
    if value < 0.0:
        raise argparse.ArgumentTypeError(f"{text} is below zero")
    return value
