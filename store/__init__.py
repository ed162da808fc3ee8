"""Where readings, intervals and entities are kept: one protocol, InfluxDB and SQLite behind it."""
