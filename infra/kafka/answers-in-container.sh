#!/bin/bash
# The health check of infra/containers/compose.ts: does the broker of this container take part in its cluster? It asks
# as infra/supervisor/probe.ts does, for the metadata of no topic (version 2), and looks for the broker itself in the
# answer. A broker that only listens is not in it. Kafka's own tools start a JVM each time. On a busy machine they would
# take the time that the broker's start needs.
set -eu
exec 3<> "/dev/tcp/127.0.0.1/$BROKER_PORT"
printf '\x00\x00\x00\x13\x00\x03\x00\x02\x00\x00\x00\x01\x00\x05check\x00\x00\x00\x00' >&3
# The first bytes of the answer: the length, the request's number, the count of brokers, then the id and the name of the first.
timeout 2 head -c 40 <&3 | grep -a -q -F "$ADVERTISED_HOST"
