"""`scripts/bench faults`: every fault tried many times on real parts, and what became of the values."""
