/** HEALTHCHECK of the image: asks the process in the same container. It is plain JavaScript because it is started every few seconds. */
const port = process.env.ADMIN_PORT ?? process.env.LISTEN_PORT;
/** Below the container's own time-out of 10 s, so that this script gives the answer. */
const timeoutMs = 2_500;

try {
  const response = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(timeoutMs) });
  process.exit(response.ok ? 0 : 1);
} catch {
  process.exit(1);
}
