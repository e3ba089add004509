import { couponCodePattern, problem, type Problem } from '@cloakroom/contracts';

/** The gateway changes codes to capitals. Orders decides at check-out whether a code is worth anything. */
export const checkCouponCode = (code: string): Problem | undefined =>
  couponCodePattern.test(code) ? undefined : problem('invalid_request', 'code: 1 to 32 of A to Z, 0 to 9 and "-"');
