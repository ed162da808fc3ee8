"""From readings to what each measuring point used in a quarter of an hour."""
