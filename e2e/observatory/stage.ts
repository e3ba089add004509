/**
 * A shop of this suite's own, with the Observatory beside it as `npm start` has it. The shop of the other suites has none: nothing but this
 * suite asks for spans with names in them.
 */
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { test as base, expect } from '@playwright/test';
import { startStack, testBases, type RunningStack } from '@cloakroom/infra';
import type { BrowserContext, Page } from '@playwright/test';
import { newPerson, type Person } from '../kit/device.ts';
import { dataDir, e2eProvider, variant } from '../kit/stack.ts';

const suiteBase = testBases[`e2e-${e2eProvider as 'embedded' | 'native'}-observatory`];
/** In place of .cloakroom/labs: a person's own predictions and results stay as they are. */
export const labsKeptDir = join(`${dataDir}-observatory`, 'labs-kept');
/** The Observatory starts after the shop, which does not wait for it. */
const startTimeoutMs = 60_000;

export interface Stage {
  readonly stack: RunningStack;
  readonly shop: readonly [string, string];
  /** Without the key. */
  readonly url: string;
  readonly key: string;
}

/** A page, with all that the browser refused and all that went wrong in it. */
export interface Watched {
  readonly page: Page;
  readonly complaints: readonly string[];
}

export const test = base.extend<
  {
    /** A device of its own: cookies of the shop and of the Observatory are one jar, because cookies ignore ports. */
    newContext: (gateway: string) => Promise<BrowserContext>;
    person: Person;
  },
  { stage: Stage }
>({
  stage: [
    // oxlint-disable-next-line no-empty-pattern -- Playwright reads the names of what a fixture needs out of this pattern
    async ({}, use) => {
      const stack = await startStack({
        ...variant,
        base: suiteBase,
        dataDir: `${dataDir}-observatory`,
        fresh: 'redis-in-memory',
        observatory: true,
        reshape: {
          launch: ({ name }, launch) =>
            name === 'observatory' ? { ...launch, env: { ...launch.env, LABS_KEPT_DIR: labsKeptDir } } : launch,
        },
        limits: { SIGN_IN_LIMIT_PER_MINUTE: '600', REGISTRATION_LIMIT_PER_HOUR: '1000' },
      });
      try {
        const { url, pageKey: key } = stack.observatory!;
        await expect
          .poll(
            () =>
              fetch(url).then(
                (answer) => answer.status,
                () => 0,
              ),
            { timeout: startTimeoutMs, message: 'the Observatory answers' },
          )
          .toBe(200);
        if (e2eProvider === 'native') await letForgerKeepPassport(url, key);
        await use({ stack, shop: [stack.gateways[0]!, stack.gateways[1]!], url, key });
      } finally {
        await stack.stop();
      }
    },
    { scope: 'worker', timeout: 240_000 },
  ],
  newContext: async ({ browser }, use) => {
    const contexts: BrowserContext[] = [];
    await use(async (baseURL) => {
      const context = await browser.newContext({ baseURL, viewport: { width: 1280, height: 900 } });
      contexts.push(context);
      return context;
    });
    await Promise.all(contexts.map((context) => context.close()));
  },
  person: async ({ stage, request }, use) => {
    const person = newPerson();
    const [gateway] = stage.shop;
    const answer = await request.post(`${gateway}/api/session/register`, { headers: { origin: gateway }, data: person });
    expect(answer.status()).toBe(201);
    await use(person);
  },
});

/**
 * The passport expires within a minute, while other tests run. Only the first forgery gets one: then the forger waits for its end. Where it gets none
 * now, the test of the expired passport waits for that minute itself.
 */
async function letForgerKeepPassport(url: string, key: string): Promise<void> {
  const play = () => fetch(`${url}/api/forgeries/expired`, { method: 'POST', headers: { authorization: `Bearer ${key}` } });
  const outcome = async () => ((await (await play()).json()) as { readonly outcome: string }).outcome;
  await expect
    .poll(outcome, { timeout: startTimeoutMs })
    .toBe('later')
    .catch(() => undefined);
}

/** Opens a view with the key in the fragment, as `npm start` prints it. */
export async function openObservatory(context: BrowserContext, { url, key }: Pick<Stage, 'url' | 'key'>, path = '/'): Promise<Watched> {
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== url) complaints.push(`asked ${request.url()}`);
  });
  await page.goto(`${url}${path}#key=${key}`);
  return { page, complaints };
}

/** No page has a frame, so the rules run to their end in the page itself. Why: e2e/pages/pages.e2e.ts. */
function axe(page: Page): AxeBuilder {
  expect(page.frames(), 'this mode looks into no frame of another origin').toHaveLength(1);
  return new AxeBuilder({ page }).setLegacyMode().options({ resultTypes: ['violations'] });
}

async function expectNoViolation(builder: AxeBuilder, where: string): Promise<void> {
  const { violations } = await builder.analyze();
  expect(
    violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`),
    where,
  ).toEqual([]);
}

/** The rules that another theme can break. */
export const expectContrast = (page: Page, where: string) =>
  expectNoViolation(axe(page).withRules(['color-contrast', 'link-in-text-block']), where);

/** Accessible, and no wider than the window. */
export async function expectSound(page: Page, where: string): Promise<void> {
  await expectNoViolation(axe(page), where);
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(wider, `${where} scrolls sideways`).toBeLessThanOrEqual(0);
}

export const list = (page: Page) => page.getByRole('navigation', { name: 'Requests' });
export const lanes = (page: Page) => page.getByRole('figure').getByRole('group', { name: /^Lanes of/ });
export const hopPanel = (page: Page) => page.getByRole('region', { name: 'The chosen hop' });
export const pathRows = (page: Page) => page.getByRole('table', { name: 'The critical path, hop by hop' }).getByRole('row');

/** The bar of a hop, by its lane and its name. */
export const hop = (page: Page, lane: RegExp, name: RegExp) =>
  lanes(page)
    .getByRole('button', { name: new RegExp(`^${lane.source}: ${name.source}`) })
    .first();

/** Reads a list of facts, such as the claims, as an object. */
export async function factsIn(page: Page, name: string): Promise<Readonly<Record<string, string>>> {
  const facts = hopPanel(page).getByLabel(name, { exact: true });
  const pairs = await facts.evaluate((element) =>
    [...element.querySelectorAll('dt')].map((dt) => [dt.textContent.trim(), dt.nextElementSibling?.textContent.trim() ?? '']),
  );
  return Object.fromEntries(pairs) as Record<string, string>;
}

export { expect };
