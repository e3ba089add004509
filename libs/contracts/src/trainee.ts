/** The trainee's id, as the Observatory's page makes it and the gateway reads it. A page in a browser imports this file alone. */
import { experimentPattern } from './bounds.ts';

/** The cookie with the trainee's id. Cookies ignore ports, so the Observatory sets it and the shop gets it too. */
export const traineeCookie = 'trainee';
/** The id is an experiment id, because the services carry it on as one. */
export const traineePattern = experimentPattern;
