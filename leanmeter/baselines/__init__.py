"""`leanmeter baselines`: a verifier's own tables, without store and site."""
