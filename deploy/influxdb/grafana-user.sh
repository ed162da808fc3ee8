#!/bin/bash
# Run once by InfluxDB's image after it has made organisation and bucket: Grafana may read the bucket, and nothing else.
set -euo pipefail
influx v1 auth create \
    --org "$DOCKER_INFLUXDB_INIT_ORG" \
    --token "$(cat "$DOCKER_INFLUXDB_INIT_ADMIN_TOKEN_FILE")" \
    --read-bucket "$DOCKER_INFLUXDB_INIT_BUCKET_ID" \
    --username grafana \
    --password "$(cat /run/secrets/influx_grafana_password)" \
    --description "Grafana, read only" >/dev/null
