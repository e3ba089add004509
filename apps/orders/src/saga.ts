/** A card network answers within a second; beyond this a person waits for nothing. */
export const chargeWaitMs = 1_500;
