"""A factory: lines, machines, air, cooling, sun, outages, water and materials that agree with each other."""
