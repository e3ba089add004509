/** Every answer tells the browser how far to trust it (OWASP ASVS 5.0 V3.4). */

const contentSecurityPolicy = [
  "default-src 'self'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

const always: Readonly<Record<string, string>> = {
  'content-security-policy': contentSecurityPolicy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'strict-origin-when-cross-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'x-frame-options': 'DENY',
  'permissions-policy': 'camera=(), microphone=(), geolocation=()',
  // The default, until a route says otherwise: a shared cache must never keep personal data (Klarna, May 2021).
  'cache-control': 'no-store',
};

/** @param https whether people reach this shop by https; HSTS over plain http is void, and on localhost it would catch other projects */
export function securityHeaders(https: boolean): Readonly<Record<string, string>> {
  return https ? { ...always, 'strict-transport-security': 'max-age=31536000; includeSubDomains' } : always;
}
