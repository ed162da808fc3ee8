"""The ways that a message can go."""
