"""Command line and demo: wires anything."""
