"""`leanmeter edge`: the agent beside the meters."""
