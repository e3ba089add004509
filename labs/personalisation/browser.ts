/** A browser of the lab: cookies that it keeps, and one request after the other. */
interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export class LabBrowser {
  private readonly cookies = new Map<string, string>();
  private readonly gateway: string;

  constructor(gateway: string) {
    this.gateway = gateway;
  }

  /** @throws where the status is none of those that are expected */
  async call(method: string, path: string, expected: readonly number[], body?: object): Promise<Answer> {
    const answer = await fetch(this.gateway + path, {
      method,
      headers: {
        origin: this.gateway,
        cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    for (const cookie of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie)!;
      this.cookies.set(name!, value!);
    }
    const text = await answer.text();
    if (!expected.includes(answer.status)) throw new Error(`${method} ${path}: ${answer.status} in place of ${expected.join()}: ${text}`);
    return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
  }
}
