"""How scales say what they weigh: one function a telegram, pinned to the examples of their manuals."""
