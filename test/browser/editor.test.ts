import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fault } from '../editor/fake-gateway.ts';
import { eventually } from '../editor/poll.ts';
import { runEditor, type RunningEditor } from '../editor/running-editor.ts';
import { formToRest, openEditor, shot, type OpenedPage } from './editor-page.ts';

/** What a technician types into each form, by id of the input; and what the flow then holds. */
interface Visit {
  readonly type: string;
  readonly typed: Readonly<Record<string, string>>;
  readonly chosen?: Readonly<Record<string, string>>;
  readonly held: Readonly<Record<string, unknown>>;
}

const CONFIGS: readonly Visit[] = [
  {
    type: 'cigale-broker',
    typed: { url: 'mqtts://mqtt.istres.fr:8883', topicPrefix: 'ville/v1', username: 'istres', password: 'S3CRET' },
    held: { url: 'mqtts://mqtt.istres.fr:8883', topicPrefix: 'ville/v1', protocol: 5, acceptSilentLoss: false },
  },
  {
    type: 'cigale-port',
    typed: { path: 'tcp://10.0.0.2:4001', baudRate: '19200', delimiter: '\\n' },
    chosen: { parity: 'even', stopBits: '2' },
    held: { path: 'tcp://10.0.0.2:4001', baudRate: 19_200, delimiter: '\\n', parity: 'even', stopBits: 2, dataBits: 8 },
  },
  {
    type: 'cigale-concentrator',
    typed: { port: '1701', gateways: '0016c001ff10a235, 0016C001FF10A236' },
    held: { port: 1701, gateways: ['0016c001ff10a235', '0016C001FF10A236'], bind: '127.0.0.1' },
  },
];

const NODES: readonly Visit[] = [
  {
    type: 'cigale-lora',
    typed: { '#cigale-select-places': 'quai, mairie', '#cigale-select-quantities': 'airTemperature' },
    held: { select: { places: ['quai', 'mairie'], tags: [], quantities: ['airTemperature'] } },
  },
  {
    type: 'cigale-noise',
    typed: { periods: '1m, 1h', levels: '5, 95', minCoverage: '0,8' },
    held: { periods: ['1m', '1h'], levels: [5, 95], minCoverage: 0.8 },
  },
  { type: 'cigale-heat', typed: { periods: '10m' }, held: { periods: ['10m'], minCoverage: 0.75 } },
  {
    type: 'cigale-count',
    typed: { minCoverage: '1' },
    held: { periods: ['1m', '15m', '1h'], minCoverage: 1, counter: 'interval' },
  },
  {
    type: 'cigale-send',
    typed: { stream: 'ville', maxRecords: '200' },
    chosen: { order: 'in-order', compress: 'zstd' },
    held: {
      stream: 'ville',
      maxRecords: 200,
      order: 'in-order',
      compress: 'zstd',
      since: 'deploy',
      backlogRate: 500,
      maxBytes: 524_288,
    },
  },
];

let editor: RunningEditor;
let opened: OpenedPage;
let page: Page;
beforeAll(async () => {
  editor = await runEditor((gateway) => {
    gateway.flow = [{ id: 't1', type: 'tab', label: 'Mesures' }];
  });
  opened = await openEditor(editor.url);
  page = opened.page;
});
afterAll(async () => {
  await opened.context.close();
  await editor.stop();
});

const held = (type: string): Record<string, unknown> | undefined =>
  editor.gateway.flow.find((node) => node['type'] === type);

async function draw(type: string, y: number): Promise<void> {
  const box = await page.locator(`.red-ui-palette-node[data-palette-type="${type}"]`).boundingBox();
  if (box === null) throw new Error(`${type} is not in the palette`);
  await page.mouse.move(box.x + 30, box.y + 10);
  await page.mouse.down();
  await page.mouse.move(box.x + 80, box.y + 30, { steps: 3 });
  await page.mouse.move(460, y, { steps: 6 });
  await page.mouse.up();
}

/** Opens the form of the only node of a type. */
async function open(type: string): Promise<void> {
  await page.evaluate((wanted) => {
    const { RED } = globalThis as unknown as {
      RED: {
        nodes: {
          eachNode(visit: (node: { type: string }) => void): void;
          eachConfig(visit: (node: { type: string; id: string }) => void): void;
        };
        editor: { edit(node: unknown): void; editConfig(name: string, type: string, id: string): void };
      };
    };
    RED.nodes.eachNode((node) => {
      if (node.type === wanted) RED.editor.edit(node);
    });
    RED.nodes.eachConfig((node) => {
      if (node.type === wanted) RED.editor.editConfig('', wanted, node.id);
    });
  }, type);
  await formToRest(page);
}
const isConfig = (type: string): boolean => CONFIGS.some((visit) => visit.type === type) || type === 'cigale-gateway';
const inputOf = (type: string, field: string): string =>
  field.startsWith('#') ? field : `#node-${isConfig(type) ? 'config-' : ''}input-${field}`;
async function done(type: string): Promise<void> {
  const button = isConfig(type) ? '#node-config-dialog-ok' : '#node-dialog-ok';
  await page.click(button);
  await page.waitForSelector(button, { state: 'detached' });
}
async function fill({ type, typed, chosen = {} }: Visit): Promise<void> {
  for (const [field, value] of Object.entries(typed)) {
    await page.fill(inputOf(type, field), value);
    await page.dispatchEvent(inputOf(type, field), 'change');
  }
  for (const [field, value] of Object.entries(chosen)) await page.selectOption(inputOf(type, field), value);
}
async function shown({ type, typed, chosen = {} }: Visit): Promise<Record<string, string>> {
  const values: Record<string, string> = {};
  for (const field of [...Object.keys(typed), ...Object.keys(chosen)])
    values[field] = await page.inputValue(inputOf(type, field));
  return values;
}
/** What a form shows when it is opened again: lists without spaces, decimals with a point, a password never. */
const again = ({ typed, chosen = {} }: Visit): Record<string, string> => {
  const shownAgain = Object.entries(typed).map(([field, value]) => [
    field,
    field === 'password'
      ? '__PWRD__'
      : field.startsWith('#')
        ? value
        : value.replace(/^(\d+),(\d+)$/, '$1.$2').replaceAll(' ', ''),
  ]);
  return { ...(Object.fromEntries(shownAgain) as Record<string, string>), ...chosen };
};
/** Deploys past Node-RED's question whether unfinished nodes may go. */
async function pressDeploy(isOver: () => boolean | Promise<boolean>): Promise<void> {
  await page.click('#red-ui-header-button-deploy');
  const confirm = page.locator('#red-ui-notifications button.primary');
  await eventually(async () => {
    if (await confirm.isVisible()) await confirm.click();
    return isOver();
  });
}
async function deploy(): Promise<void> {
  const { version } = editor.gateway;
  await pressDeploy(() => editor.gateway.version > version);
}
const isMarked = (selector: string): Promise<boolean> =>
  page.evaluate((at) => document.querySelector(at)?.classList.contains('input-error') ?? false, selector);
async function tooltip(selector: string): Promise<string> {
  await page.hover(selector);
  return page.locator('.red-ui-popover').last().innerText();
}

describe('the editor in French', () => {
  it('loads with nothing from outside and shows the Cigale nodes first', async () => {
    const category = page.locator('.red-ui-palette-category').first();
    expect(await category.locator('.red-ui-palette-header').innerText()).toContain('Cigale');
    const labels = await category.locator('.red-ui-palette-label').allInnerTexts();
    expect(labels.map((label) => label.replace(/\s+/g, ' ').trim())).toEqual([
      'capteur série',
      'capteurs LoRaWAN',
      'niveaux sonores',
      'îlot de chaleur',
      'comptage',
      'envoi',
    ]);
    expect([opened.external, opened.errors]).toEqual([[], []]);
    await shot(page, '1-loaded');
  });

  it('adds the gateway node with the first Cigale node, and says in French what is wrong in its form', async () => {
    await draw('cigale-serial', 130);
    await eventually(() => page.evaluate(() => document.querySelectorAll('.red-ui-flow-node-group').length > 0));
    await open('cigale-gateway');
    await page.fill(inputOf('cigale-gateway', 'gateway'), 'Passerelle d’Istres');
    await page.dispatchEvent(inputOf('cigale-gateway', 'gateway'), 'change');
    expect(await isMarked(inputOf('cigale-gateway', 'gateway'))).toBe(true);
    expect(await tooltip(inputOf('cigale-gateway', 'gateway'))).toContain('minuscules sans accent');
    await page.fill(inputOf('cigale-gateway', 'gateway'), 'gw-istres-01');
    await page.dispatchEvent(inputOf('cigale-gateway', 'gateway'), 'change');
    expect(await isMarked(inputOf('cigale-gateway', 'gateway'))).toBe(false);
    await shot(page, '2-gateway');
    await done('cigale-gateway');
  });

  it('fills a serial sensor, its wrong values told in French, numbers with a comma taken', async () => {
    await open('cigale-serial');
    await page.fill('#node-input-place', 'quai');
    await page.fill('#node-input-device', 'sonometre-1');
    await page.fill('#node-input-silentAfter', 'cinq minutes');
    await page.dispatchEvent('#node-input-silentAfter', 'change');
    expect(await isMarked('#node-input-silentAfter')).toBe(true);
    expect(await tooltip('#node-input-silentAfter')).toContain('Une durée comme');
    await page.fill('#node-input-silentAfter', '10m');
    const channels = page.locator('.red-ui-editableList:has(#cigale-serial-channels)');
    expect(await channels.getAttribute('title')).toBe('Il faut au moins une voie.');
    await page.fill('.cigale-channel-key', '2');
    expect(await channels.getAttribute('title')).toBe("Une voie n'a pas de grandeur.");
    await page.selectOption('.cigale-channel-quantity', { label: 'niveau sonore équivalent (LAeq, dB(A))' });
    await page.fill('.cigale-channel-scale', '0,1');
    await page.fill('.cigale-channel-averaging', '1s');
    expect(await channels.getAttribute('title')).toBe('');
    await shot(page, '3-serial');
    await done('cigale-serial');
  });

  it.each([
    ['cigale-serial', 'port', 'cigale-port'],
    ['cigale-lora', 'concentrator', 'cigale-concentrator'],
    ['cigale-send', 'broker', 'cigale-broker'],
  ])('adds from the form of %s what its field %s refers to', async (type, field, config) => {
    if (type !== 'cigale-serial') await draw(type, type === 'cigale-lora' ? 200 : 270);
    await open(type);
    await page.click(`#node-input-btn-${field}-add`);
    await page.waitForSelector('#node-config-dialog-ok');
    await formToRest(page);
    const visit = CONFIGS.find((one) => one.type === config) as Visit;
    await fill(visit);
    await shot(page, `4-${config}`);
    await done(config);
    expect(await page.locator(`#node-input-${field} option:checked`).innerText()).not.toContain('Ajouter');
    await done(type);
  });

  it('offers the serial ports of the gateway', async () => {
    await open('cigale-port');
    await page.fill('#node-config-input-path', '');
    await page.type('#node-config-input-path', 'sono');
    const offer = page.locator('.red-ui-autoComplete-container', { hasText: 'FTDI sonomètre' });
    await offer.waitFor();
    await shot(page, '5-ports');
    await offer.getByText('FTDI sonomètre').click();
    expect(await page.inputValue('#node-config-input-path')).toBe('/dev/serial/by-id/usb-FTDI_sonometre-if00');
    await page.click('#node-config-dialog-cancel');
    await page.waitForSelector('#node-config-dialog-cancel', { state: 'detached' });
  });

  it('fills every other node', async () => {
    for (const [index, visit] of NODES.entries()) {
      if (!['cigale-lora', 'cigale-send'].includes(visit.type)) await draw(visit.type, 340 + 70 * index);
      await open(visit.type);
      await fill(visit);
      await shot(page, `6-${visit.type}`);
      await done(visit.type);
    }
    expect(await page.locator('.red-ui-flow-node-group').count()).toBe(6);
  });

  it('deploys what was typed, as numbers and lists, credentials apart', async () => {
    await deploy();
    for (const { type, held: wanted } of [...CONFIGS, ...NODES]) expect(held(type), type).toMatchObject(wanted);
    expect(held('cigale-gateway')).toMatchObject({ gateway: 'gw-istres-01', timezone: 'Europe/Paris', version: 1 });
    expect(held('cigale-serial')).toMatchObject({
      port: held('cigale-port')?.['id'],
      channels: [{ key: '2', quantity: 'LAeq', averaging: '1s', scale: 0.1 }],
      poll: null,
      silentAfter: '10m',
    });
    const broker = String(held('cigale-broker')?.['id']);
    expect(editor.gateway.credentials).toEqual({ [broker]: { username: 'istres', password: 'S3CRET' } });
    await shot(page, '7-deployed');
  });

  it('shows the same values again after a reload, and closing a form unchanged changes nothing', async () => {
    const before = structuredClone(editor.gateway.flow);
    await page.reload();
    await page.waitForSelector('#red-ui-loading-progress', { state: 'hidden' });
    await page.waitForSelector('.red-ui-flow-node-group');
    for (const visit of [...CONFIGS, ...NODES]) {
      await open(visit.type);
      expect(await shown(visit), visit.type).toEqual(again(visit));
      await done(visit.type);
    }
    await open('cigale-serial');
    expect(await page.inputValue('.cigale-channel-key')).toBe('2');
    expect(await page.inputValue('.cigale-channel-scale')).toBe('0.1');
    await done('cigale-serial');
    expect(await page.locator('#red-ui-header-button-deploy').getAttribute('class')).toContain('disabled');
    expect(editor.gateway.flow).toEqual(before);
  });

  it('takes a property that a flow of an earlier version lacks for its default', async () => {
    const isValid = await page.evaluate(() => {
      const { RED } = globalThis as unknown as {
        RED: {
          nodes: { filterNodes(by: { type: string }): { maxBytes?: number; valid?: boolean }[] };
          editor: { validateNode(node: unknown): void };
        };
      };
      const [send] = RED.nodes.filterNodes({ type: 'cigale-send' });
      delete send?.maxBytes;
      RED.editor.validateNode(send);
      return send?.valid;
    });
    expect(isValid).toBe(true);
    await open('cigale-send');
    expect(await page.inputValue('#node-input-maxBytes')).toBe('524288');
    await done('cigale-send');
  });

  it('says in French, by node, why the gateway refuses a flow, until somebody closes it', async () => {
    const send = String(held('cigale-send')?.['id']);
    const gatewayNode = String(held('cigale-gateway')?.['id']);
    editor.gateway.faults = [
      {
        ...fault(send, 'stream <b>ville</b> is used twice', 'le flux <b>ville</b> sert deux fois'),
        nodeName: 'vers la ville',
      },
      { ...fault(gatewayNode, 'bad time zone', 'fuseau horaire inconnu'), nodeType: 'cigale-gateway' },
    ];
    const { version } = editor.gateway;
    await draw('cigale-count', 640);
    const box = page.locator('#red-ui-notifications .red-ui-notification', { has: page.locator('.cigale-faults') });
    await pressDeploy(() => box.isVisible());
    const said = await box.innerText();
    expect(said).toContain('La passerelle refuse ce flux.');
    expect(said).toContain('vers la ville : le flux <b>ville</b> sert deux fois');
    expect(said).toContain('cigale-gateway : fuseau horaire inconnu');
    await box.getByText('Fermer').click({ trial: true });
    await shot(page, '8-refused');
    expect(editor.gateway.version).toBe(version);
    await page.click('.cigale-faults a:has-text("cigale-gateway")');
    await page.waitForSelector('#node-config-input-gateway');
    await page.click('#node-config-dialog-cancel');
    await box.getByText('Fermer').click();
    await box.waitFor({ state: 'detached' });
    editor.gateway.faults = [];
    await deploy();
  });

  it('is usable on a narrow screen: every field of a form is inside it and nothing lies over it', async () => {
    await page.setViewportSize({ width: 480, height: 900 });
    for (const type of ['cigale-serial', 'cigale-send', 'cigale-broker']) {
      await open(type);
      const fields = page.locator(
        '.red-ui-tray:last-child .cigale-row input:visible, .red-ui-tray:last-child .cigale-row select:visible',
      );
      const total = await fields.count();
      expect(total, type).toBeGreaterThan(6);
      for (let index = 0; index < total; index += 1) {
        const field = fields.nth(index);
        await field.click({ trial: true });
        const box = await field.boundingBox();
        expect((box?.x ?? -1) >= 0 && (box?.x ?? 0) + (box?.width ?? 0) <= 480, `${type} field ${index}`).toBe(true);
      }
      await shot(page, `9-narrow-${type}`);
      await page.click(isConfig(type) ? '#node-config-dialog-cancel' : '#node-dialog-cancel');
      await page.waitForSelector('#node-dialog-cancel, #node-config-dialog-cancel', { state: 'detached' });
    }
  });

  it('has had no error on the console and no request to the outside, the refused deploy apart', () => {
    expect(opened.external).toEqual([]);
    expect(opened.errors.filter((text) => !text.includes('400 (Bad Request)'))).toEqual([]);
  });
});
