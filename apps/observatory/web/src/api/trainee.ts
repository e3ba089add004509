/**
 * The trainee's id. Cookies ignore ports, so the shop on the same host gets it too and carries it on as experiment id. So the page can tell
 * the trainee's requests from everybody's. It names nobody and opens nothing.
 */
import { traineeCookie, traineePattern } from '@cloakroom/contracts/trainee';

/** Long enough for a course of a few weeks. */
const lifetimeSeconds = 30 * 24 * 60 * 60;

export function traineeIn(cookies: string): string | undefined {
  for (const pair of cookies.split(';')) {
    const [name, value] = pair.trim().split('=');
    if (name === traineeCookie && value !== undefined && traineePattern.test(value)) return value;
  }
  return undefined;
}

export const newTrainee = (random: Uint8Array<ArrayBuffer>): string =>
  `t-${[...random].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;

let known: string | undefined;

/** Makes the id once, and then finds it in the cookie. A browser without cookies has one for as long as the page lives. */
export function traineeId(): string {
  if (known === undefined) {
    known = traineeIn(document.cookie) ?? newTrainee(crypto.getRandomValues(new Uint8Array(4)));
    document.cookie = `${traineeCookie}=${known}; path=/; SameSite=Lax; max-age=${lifetimeSeconds}`;
  }
  return known;
}
