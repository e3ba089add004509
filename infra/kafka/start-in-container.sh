#!/bin/bash
# Starts Kafka in its container. infra/containers/compose.ts mounts this file and sets ADVERTISED_HOST, BROKER_PORT and CONTROLLER_PORT. The
# image's own entry point supports one static quorum and its own file; this one formats and starts as infra/native/kafka.ts does.
set -euo pipefail

log=/var/lib/kafka/data/log
meta=$log/meta.properties
sed -e 's|${listenHost}|0.0.0.0|g' -e "s|\${advertisedHost}|$ADVERTISED_HOST|g" -e "s|\${brokerPort}|$BROKER_PORT|g" \
  -e "s|\${controllerPort}|$CONTROLLER_PORT|g" -e "s|\${logDirs}|$log|g" \
  /etc/cloakroom/server.properties > /tmp/server.properties

# Earlier versions kept the cluster's id in a file, where an error message could replace it, and `format` accepts any text as an id. A log
# that was formatted with such a text and holds no partition is formatted again. A log that holds partitions is kept.
has_data() {
  find "$log" -mindepth 1 -maxdepth 1 -type d -name '*-[0-9]*' ! -name '__cluster_metadata-*' | grep -q .
}
rm -f /var/lib/kafka/data/cluster-id
if [ -f "$meta" ] && ! grep -Eqx 'cluster\.id=[A-Za-z0-9_-]{22}' "$meta" && ! has_data; then
  echo 'The id of this cluster is damaged, and nothing was ever written: the log is formatted again.'
  rm -f "$meta"
fi

# Kafka writes meta.properties last and at once. Without it a format was interrupted: such a folder can neither be formatted nor started.
if [ ! -f "$meta" ]; then
  rm -rf "$log"
  # 22 letters of base64url. An id that begins with a dash would look like an option.
  id=c$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n' | cut -c 2-)
  if ! echo "$id" | grep -Eqx '[A-Za-z0-9_-]{22}'; then
    echo "No id could be made for the cluster: '$id'" >&2
    exit 1
  fi
  /opt/kafka/bin/kafka-storage.sh format --standalone -t "$id" -c /tmp/server.properties
fi

# A JVM that SIGTERM ends returns 143, also after an orderly stop. A container engine would take that for a failure.
stopping=no
trap 'stopping=yes; kill -TERM "$broker"' TERM INT
/opt/kafka/bin/kafka-server-start.sh /tmp/server.properties &
broker=$!
code=0
wait "$broker" || code=$?
if [ "$stopping" = yes ]; then
  # The signal ended the first wait, not the broker.
  code=0
  wait "$broker" || code=$?
  [ "$code" != 143 ] || code=0
fi
exit "$code"
