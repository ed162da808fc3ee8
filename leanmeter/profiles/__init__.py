"""`leanmeter profiles`: device models: list, show, decode, check."""
