/**
 * Every image that is not ours, once. By tag here, so that a person can read it; who deploys pins digests besides (docs/deploy.md), which this
 * repository cannot: it was written where no registry of images can be asked. Its suite makes stand-ins (infra/engine/base-images.ts).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Ours: one image for all services, chosen by command. */
export const ownImage = 'cloakroom:local';

export const images = {
  /** The version of Maven's jars, so that a container and the native broker are one. */
  kafka: `apache/kafka:${kafkaVersion()}`,
  redis: 'valkey/valkey:8.1.3',
  postgres: 'postgres:18.1',
  jaeger: 'jaegertracing/jaeger:2.10.0',
  prometheus: 'prom/prometheus:v3.5.0',
  grafana: 'grafana/grafana:12.1.1',
} as const;

function kafkaVersion(): string {
  const pom = readFileSync(join(import.meta.dirname, '..', 'kafka', 'pom.xml'), 'utf8');
  const version = /<artifactId>kafka_2\.13<\/artifactId>\s*<version>([\d.]+)<\/version>/.exec(pom)?.[1];
  if (version === undefined) throw new Error('infra/kafka/pom.xml names no kafka_2.13');
  return version;
}
