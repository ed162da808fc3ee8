"""Simulated meters, scales and a workshop: what engineers test with before they go to the switchboard."""
