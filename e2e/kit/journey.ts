import { expect, type Device } from './device.ts';

/** Each call is repeated while it answers 503 within its budget. Any other failure fails the test. */
export async function walkJourney(
  device: Device,
  person: { email: string; password: string },
  first: string,
  second: string,
): Promise<void> {
  await device.add(first, 2);
  const login = await device.insist('POST', '/api/session/login', { email: person.email, password: person.password });
  expect(login.status, JSON.stringify(login.body)).toBe(200);
  await device.add(second, 1);
  const profile = await device.insist('PATCH', '/api/profile', { name: 'Robin Survivor' });
  expect(profile.status).toBe(200);
  expect((await device.insist('GET', '/api/session/devices')).status).toBe(200);
}
