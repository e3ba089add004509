#!/bin/bash
# Whether the broker of this container takes part in its cluster: the health check of infra/containers/compose.ts. It asks as infra/supervisor/probe.ts
# does, for the metadata of no topic (version 2), and looks for the broker itself in the answer: one that only listens is not among them.
# Kafka's own tools are a JVM each time: on a busy machine they take from the broker the time that its start needs.
set -eu
exec 3<> "/dev/tcp/127.0.0.1/$BROKER_PORT"
printf '\x00\x00\x00\x13\x00\x03\x00\x02\x00\x00\x00\x01\x00\x05check\x00\x00\x00\x00' >&3
# Its first bytes: the length, the request's number, the count of brokers, then the id and the name of the first.
timeout 2 head -c 40 <&3 | grep -a -q -F "$ADVERTISED_HOST"
