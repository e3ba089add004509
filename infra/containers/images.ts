/**
 * Every image that is not ours, once. Tags stand here, so that a person can read them. Operators pin digests besides
 * (docs/deploy.md). This repository cannot pin them: it was written on a machine that reaches no registry of images. Its tests
 * make replacements (infra/engine/base-images.ts).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Our own image: one for all services, chosen by command. */
export const ownImage = 'cloakroom:local';

export const images = {
  /** The same version as Maven's jars, so that the container and the native broker are equal. */
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
