import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext, type Page } from 'playwright-core';

/** Folder of the screenshots: `SCREENSHOTS`, or a temporary one. */
const SHOTS = process.env['SCREENSHOTS'] ?? mkdtempSync(join(tmpdir(), 'cigale-shots-'));

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'];

export interface OpenedPage {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Requests that left this machine. */
  readonly external: string[];
  /** Errors on the console. */
  readonly errors: string[];
}

/** Chromium in French on the editor, ready to draw. */
export async function openEditor(url: string, viewport = { width: 1400, height: 950 }): Promise<OpenedPage> {
  const profile = mkdtempSync(join(tmpdir(), 'cigale-chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: '/usr/bin/chromium',
    headless: true,
    locale: 'fr-FR',
    viewport,
    args: [...FLAGS, '--disable-component-update', '--disable-sync'],
  });
  const page = context.pages()[0] ?? (await context.newPage());
  const external: string[] = [];
  const errors: string[] = [];
  page.on('request', (request) => {
    if (!/^(?:https?:\/\/127\.0\.0\.1|data:|blob:)/.test(request.url())) external.push(request.url());
  });
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  page.on('pageerror', (error) => errors.push(error.message));
  await page.goto(url);
  await page.waitForSelector('#red-ui-palette-container .red-ui-palette-node');
  await page.waitForSelector('#red-ui-loading-progress', { state: 'hidden' });
  return { page, context, external, errors };
}

export const shot = (page: Page, name: string): Promise<Buffer> =>
  page.screenshot({ path: join(SHOTS, `${name}.png`) });

/**
 * Waits until an opened form has come to rest. Node-RED gives the focus to its first field only after the form has
 * slid in: what is typed before lands partly in that field.
 */
export async function formToRest(page: Page): Promise<void> {
  await page.waitForSelector('#node-dialog-ok, #node-config-dialog-ok');
  await page.waitForFunction(
    () => [...document.querySelectorAll('.red-ui-tray')].at(-1)?.contains(document.activeElement) ?? false,
  );
}
