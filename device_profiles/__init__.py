"""Device models as data: one YAML a model or family, the schema that loads it, pure decoding of registers."""
