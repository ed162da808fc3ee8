"""What is expected of days, weeks, months and shifts, and how what was used compares with it."""
