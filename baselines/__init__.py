"""Measurement and verification: baselines, savings with their uncertainty. Pure: no I/O, no clock."""
