"""The edge agent: reads meters and scales, keeps every reading on disk until the collector has confirmed it."""
