"""`leanmeter simulate`: devices, plants, scenarios, traces."""
