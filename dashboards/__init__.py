"""Grafana dashboards as code: built by grafana-foundation-sdk, read from InfluxDB with InfluxQL."""
