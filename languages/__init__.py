"""Texts, numbers and dates in the language of who reads them."""
