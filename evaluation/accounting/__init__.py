"""From intervals to days: sums, costs, emissions, materials."""
