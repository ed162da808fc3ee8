"""When something is wrong: pure functions of what is stored."""
