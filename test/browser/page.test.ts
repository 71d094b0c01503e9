import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apiToken } from '../../src/gateway.ts';
import { killFlow } from '../fault/kill-flow.ts';
import { RunningGateway, temporaryFolder } from '../e2e/running-gateway.ts';
import { DrivenMachine } from '../fakes/driven-machine.ts';

const SHOTS = process.env['SCREENSHOTS'] ?? mkdtempSync(join(tmpdir(), 'cigale-shots-'));
const LONG_PLACE = `place-${'tres-longue-'.repeat(15)}`;
const PHONE = { width: 390, height: 844 };

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let own: RunningGateway;
let browser: Browser;
let token: string;
let port = 0;

const gatewayOn = (listen: number): RunningGateway =>
  new RunningGateway(folder.path, { api: { host: '127.0.0.1', port: listen } });

beforeAll(async () => {
  folder = await temporaryFolder();
  own = gatewayOn(0);
  await own.gateway.start();
  port = own.gateway.apiPort;
  token = await apiToken(folder.path);
  await own.request('PUT', '/v1/flow', { flow: killFlow({ line: 9, udp: 0, mqtt: 9 }), author: 'test' });
  const sample = (place: string, quantity: string, value: number | null): object => ({ place, quantity, value });
  await own.request('POST', '/v1/samples', {
    samples: [
      sample(LONG_PLACE, 'airTemperature', 31.25),
      sample('<b>mairie</b>', 'LAeq', 61.2),
      sample('quai', 'pedestrianCount', null),
      ...Array.from({ length: 300 }, (_one, index) => sample(`zone-${String(index).padStart(3, '0')}`, 'LAeq', 50)),
    ],
  });
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
});

afterAll(async () => {
  await browser.close();
  await own.gateway.stop();
  await folder.remove();
});

interface Opened {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What the page's own code or its policy complained of, failed requests apart. */
  readonly complaints: readonly string[];
}

async function open(options: {
  locale: string;
  path?: string;
  dark?: boolean;
  viewport?: typeof PHONE;
  /** Where another gateway's page is. */
  origin?: string;
}): Promise<Opened> {
  const context = await browser.newContext({
    locale: options.locale,
    colorScheme: options.dark === true ? 'dark' : 'light',
    viewport: options.viewport ?? PHONE,
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      complaints.push(message.text());
  });
  const origin = options.origin ?? `http://127.0.0.1:${port}`;
  await page.goto(`${origin}/${options.path ?? `#token=${token}`}`);
  return { page, context, complaints };
}

const overflow = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);

/** Heights of what a finger must hit. */
const targets = (page: Page): Promise<number[]> =>
  page
    .locator('button:visible, input:visible, a:visible')
    .evaluateAll((found) => found.map((one) => one.getBoundingClientRect().height));

describe('the login', () => {
  it('asks for the token in French, refuses a wrong one, and lets the right one in', async () => {
    const { page, context, complaints } = await open({ locale: 'fr-FR', path: '' });
    await page.getByText('Jeton d’accès').waitFor();
    expect(await page.locator('#content').isVisible()).toBe(false);
    expect(Math.min(...(await targets(page)))).toBeGreaterThanOrEqual(44);
    await page.screenshot({ path: join(SHOTS, 'page-login.png') });
    await page.fill('#token', 'faux');
    await page.getByRole('button', { name: 'Entrer' }).click();
    await page.getByText('Jeton refusé.').waitFor();
    await page.fill('#token', token);
    await page.keyboard.press('Enter');
    await page.getByText('gw-kill').waitFor();
    expect(await page.locator('#login').isVisible()).toBe(false);
    expect(complaints).toEqual([]);
    await context.close();
  });

  it('takes the token of a link and takes it out of the address', async () => {
    const { page, context } = await open({ locale: 'fr-FR' });
    await page.getByText('gw-kill').waitFor();
    expect(page.url()).not.toContain(token);
    await page.reload();
    await page.getByText('gw-kill').waitFor();
    await context.close();
  });
});

describe('the page', () => {
  it.each([
    ['fr-FR', false, PHONE, ['État', 'flux d’envoi', "température de l'air", '31,3 °C', 'manquante', 'en faute']],
    ['en-GB', true, PHONE, ['State', 'stream', 'air temperature', '31.3 °C', 'missing', 'fault']],
    ['de-DE', false, { width: 1280, height: 900 }, ['État']],
  ] as const)(
    'in %s (dark: %s) says what stands, without scrolling sideways',
    async (locale, dark, viewport, texts) => {
      const { page, context, complaints } = await open({ locale, dark, viewport });
      await page.getByText('gw-kill').waitFor();
      for (const text of texts) await page.getByText(text).first().waitFor();
      await page.screenshot({ path: join(SHOTS, `page-${locale}-${viewport.width}.png`) });
      expect(await overflow(page)).toBeLessThanOrEqual(0);
      expect(Math.min(...(await targets(page)))).toBeGreaterThanOrEqual(44);
      expect(complaints).toEqual([]);
      await context.close();
    },
  );

  it('shows what devices send as text, and finds a place among many', async () => {
    const { page, context } = await open({ locale: 'fr-FR' });
    await page.getByText('<b>mairie</b>').waitFor();
    await page.getByText('autres : précisez la recherche').waitFor();
    await page.fill('#filter', 'zone-299');
    await page.getByText('zone-299').waitFor();
    expect(await page.locator('#latest .place').count()).toBe(1);
    await context.close();
  });

  it('says when the gateway is out of reach, and goes on by itself when it is back', async () => {
    const { page, context } = await open({ locale: 'fr-FR' });
    await page.getByText('en direct').waitFor();
    await own.gateway.stop();
    await page.getByText('passerelle injoignable').waitFor();
    own = gatewayOn(port);
    await own.gateway.start();
    await page.getByText('en direct').waitFor();
    expect(await page.locator('#login').isVisible()).toBe(false);
    await context.close();
  });

  it('needs no inline script or style, and may not be framed', async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/`);
    const policy = answer.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe-inline');
    expect(await answer.text()).not.toMatch(/<style|style=|<script(?![^>]*\bsrc=)|\son\w+=/);
  });
});

describe('a gateway whose clock is not set', () => {
  it.each([
    [
      'fr-FR',
      'L’horloge de la passerelle n’est pas réglée',
      'Prendre l’heure de ce téléphone',
      'réglée par un téléphone',
    ],
    ['en-GB', 'The clock of the gateway is not set', 'Use this phone’s time', 'set by a phone'],
  ])('says so in %s, and takes the time of the phone', async (locale, notice, button, after) => {
    const other = await temporaryFolder();
    const machine = new DrivenMachine();
    machine.service = false;
    machine.put(Date.UTC(1970, 0, 1));
    const unset = new RunningGateway(other.path, { api: { host: '127.0.0.1', port: 0 }, machine }, machine);
    await unset.gateway.start();
    const origin = `http://127.0.0.1:${unset.gateway.apiPort}`;
    const path = `#token=${await apiToken(other.path)}`;
    const { page, context, complaints } = await open({ locale, origin, path });
    await page.getByText(notice).waitFor();
    await page.screenshot({ path: join(SHOTS, `page-clock-${locale}.png`) });
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    expect(Math.min(...(await targets(page)))).toBeGreaterThanOrEqual(44);
    await page.getByRole('button', { name: button }).click();
    await page.getByText(after).waitFor();
    expect(await page.locator('#clock').isVisible()).toBe(false);
    expect(complaints).toEqual([]);
    await context.close();
    await unset.gateway.stop();
    await other.remove();
  });
});
