"""`leanmeter demo`: a workshop with everything around it, in one process tree."""
