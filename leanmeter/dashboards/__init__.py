"""`leanmeter dashboards`: build, and push into a Grafana."""
