"""`leanmeter plan`: a site's baselines, goals and prices, and where it stands."""
