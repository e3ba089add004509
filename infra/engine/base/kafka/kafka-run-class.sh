#!/bin/bash
# Works like Apache Kafka's script of this name, with its defaults. Setting KAFKA_JVM_PERFORMANCE_OPTS replaces the garbage collector too.
heap=${KAFKA_HEAP_OPTS:--Xmx256M}
performance=${KAFKA_JVM_PERFORMANCE_OPTS:--server -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35 -XX:+ExplicitGCInvokesConcurrent -Djava.awt.headless=true}
while [ $# -gt 0 ]; do
  case $1 in
    -name) shift 2 ;;
    -loggc) shift ;;
    *) break ;;
  esac
done
# shellcheck disable=SC2086 -- several options each
exec java $heap $performance ${KAFKA_LOG4J_OPTS:-} ${KAFKA_OPTS:-} -cp '/opt/kafka/libs/*' "$@"
