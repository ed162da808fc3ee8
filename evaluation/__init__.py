"""The only writer of intervals and days: from readings to what each measuring point used, and when."""
