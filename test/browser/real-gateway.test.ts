import { createServer, type AddressInfo, type Server } from 'node:net';
import { Aedes } from 'aedes';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../e2e/running-gateway.ts';
import { openEditor, shot, type OpenedPage } from './editor-page.ts';
import { RunningDemo } from './real-gateway-demo.ts';
import { drawWire, formValues, inForm, invalidNodes, paste, pressDeploy, statusTexts } from './real-gateway-page.ts';

/** Ids of `flows/demo/flow.json`. */
const BROKER = '9000000000000011';
const PORT = '9000000000000012';
const CONCENTRATOR = '9000000000000013';
const SERIAL = '9000000000000020';
const HEAT_STATIONS = '9000000000000021';
const NOISE = '9000000000000030';
const CITY = '9000000000000040';
const METROPOLE = '9000000000000041';

const SECRET = 'mot-de-passe-7391';

/** A broker in this process that lets one user in; who came is noted. */
class GuardedBroker {
  readonly logins: (string | undefined)[] = [];
  batches = 0;
  #aedes: Aedes | undefined;
  #server: Server | undefined;

  get port(): number {
    return (this.#server?.address() as AddressInfo | undefined)?.port ?? 0;
  }

  async start(): Promise<void> {
    const aedes = await Aedes.createBroker({
      authenticate: (client, username, password, done) => {
        const isKnown = username === 'istres' && String(password) === SECRET;
        this.logins.push(isKnown ? client.id : undefined);
        done(null, isKnown);
      },
    });
    aedes.on('publish', ({ topic }) => void (topic.includes('/batch/') && (this.batches += 1)));
    const server = createServer(aedes.handle);
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    this.#aedes = aedes;
    this.#server = server;
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#aedes?.close(() => resolve());
    });
    await new Promise<void>((resolve) => {
      this.#server?.close(() => resolve());
    });
  }
}

const demo = new RunningDemo();
const broker = new GuardedBroker();
let opened: OpenedPage;
let page: Page;

beforeAll(async () => {
  await broker.start();
  await demo.start();
  opened = await openEditor(demo.url);
  page = opened.page;
});

afterAll(async () => {
  await opened?.context.close();
  await demo.stop();
  await broker.stop();
});

const notices = (): Promise<string> => page.locator('#red-ui-notifications').innerText();
/** Whether the page has nothing that is not deployed. */
const isDeployed = (): Promise<boolean> => page.locator('#red-ui-header-button-deploy.disabled').isVisible();
async function deploy(): Promise<void> {
  const version = await demo.version();
  await pressDeploy(page, async () => (await demo.version()) > version);
  await page.waitForSelector('#red-ui-header-button-deploy.disabled');
}
async function reload(): Promise<void> {
  await page.reload();
  await page.waitForSelector('#red-ui-loading-progress', { state: 'hidden' });
  await page.waitForSelector('.red-ui-flow-node-group');
}

describe('the editor of a running gateway, in French', () => {
  it('shows under each node what the gateway does now', async () => {
    const expected = [/^\d+(,\d)? dB\(A\)$/, /^3 sur 3$/, /^1 sur 1$/, /./, /./, /./, /^à jour$/, /^à jour$/];
    await until('every node has its status', async () => {
      const texts = await statusTexts(page);
      return expected.every((pattern, index) => pattern.test(texts[index] ?? ''));
    });
    const [first] = await statusTexts(page);
    await until('the level changes', async () => (await statusTexts(page))[0] !== first);
    const dot = page.locator(`[id="${SERIAL}"] .red-ui-flow-node-status-dot-green`);
    expect(await dot.count()).toBe(1);
    await shot(page, 'real-1-status');
  });

  it('draws the demo with nothing marked wrong and no text untranslated', async () => {
    expect(await invalidNodes(page)).toEqual([]);
    const text = await page.locator('body').innerText();
    expect(text).not.toContain('[object Object]');
    expect(text).not.toMatch(/cigale-[a-z]+\.[a-z]+\.|@cigale\/gateway\/|undefined/);
    expect([opened.external, opened.errors]).toEqual([[], []]);
  });

  it('shows the records of a wired debug node as they come', async () => {
    const message = page.locator('.red-ui-debug-msg', { hasText: 'place-hotel-de-ville/LAeq' }).first();
    await message.waitFor();
    await message.locator('.red-ui-debug-msg-object-header, .red-ui-debug-msg-row').first().click();
    await until('the record is unfolded', async () => (await message.innerText()).includes('observedAt'));
    const shown = await message.innerText();
    for (const part of ['kind: "sample"', 'quantity: "LAeq"', 'unit: "dB(A)"', 'value: ', 'period: "PT1S"']) {
      expect(shown).toContain(part);
    }
    await shot(page, 'real-2-debug');
  });

  it('shows the values of the flow in the forms, and closing one unchanged changes nothing', async () => {
    const changed: string[] = [];
    const values: Record<string, Record<string, (string | boolean)[]>> = {};
    for (const id of [SERIAL, HEAT_STATIONS, NOISE, CITY, BROKER, PORT, CONCENTRATOR]) {
      await inForm(page, id, async () => void (values[id] = await formValues(page)));
      if (!(await isDeployed())) changed.push(id);
    }
    expect(changed).toEqual([]);
    const level = 'niveau sonore équivalent (LAeq, dB(A))';
    expect(values[SERIAL]).toMatchObject({ Lieu: ['place-hotel-de-ville'], Format: ['clé=valeur'], Séparateur: [','] });
    expect(values[SERIAL]?.['Voies']?.slice(0, 7)).toEqual(['LAeq', level, '', '', '1s', '1', '0']);
    expect(values[SERIAL]?.['Voies']).toHaveLength(21);
    expect(values[HEAT_STATIONS]).toMatchObject({ Concentrateur: ['concentrateur'], Étiquettes: ['chaleur'] });
    expect(values[NOISE]).toMatchObject({ Périodes: ['1m,15m,1h'], 'Niveaux dépassés (%)': ['10,50,90'] });
    expect(values[CITY]).toMatchObject({ Serveur: ['serveur embarqué'], "Flux d'envoi": ['ville'] });
    expect(values[BROKER]).toMatchObject({
      Adresse: ['mqtt://127.0.0.1:${CIGALE_DEMO_MQTT}'],
      'Version de MQTT': ['3.1.1'],
    });
    expect(values[PORT]).toMatchObject({
      Port: ['tcp://127.0.0.1:${CIGALE_DEMO_SERIAL}'],
      'Vitesse (bauds)': ['9600'],
    });
    expect(values[CONCENTRATOR]).toMatchObject({ 'Port UDP': ['${CIGALE_DEMO_UDP}'], Région: ['EU868'] });
  });

  it('deploys a change as a version with an author, and the serial port stays open', async () => {
    const connection = await demo.serialConnection();
    expect(connection).toBeDefined();
    await inForm(page, SERIAL, () => page.fill('#node-input-silentAfter', '2m'));
    await deploy();
    expect(await demo.cigale('flow', 'history')).toMatch(/^2 .* editor /m);
    const accepted = await demo.accepted();
    await until('samples go on', async () => (await demo.accepted()) > accepted);
    expect(await demo.serialConnection()).toBe(connection);
  });

  it('tells in French why a flow is refused, and what ran goes on', async () => {
    const version = await demo.version();
    await inForm(page, METROPOLE, () => page.fill('#node-input-stream', 'ville'));
    await inForm(page, SERIAL, () => page.fill('#node-input-place', ''));
    const box = page.locator('#red-ui-notifications .red-ui-notification', { has: page.locator('.cigale-faults') });
    await pressDeploy(page, () => box.isVisible());
    const said = await box.innerText();
    expect(said).toContain("métropole : L'envoi « ville » est déjà celui de ville");
    expect(said).toContain('sonomètre : « Lieu » est vide, mais obligatoire');
    await shot(page, 'real-3-refused');
    expect(await demo.version()).toBe(version);
    const accepted = await demo.accepted();
    await until('samples go on', async () => (await demo.accepted()) > accepted);
    await box.getByText('Fermer').click();
    await inForm(page, METROPOLE, () => page.fill('#node-input-stream', 'metropole'));
    await inForm(page, SERIAL, () => page.fill('#node-input-place', 'place-hotel-de-ville'));
  });

  it('takes what a function node sends into a Cigale node to disk', async () => {
    const sample = "msg.payload = { place: 'place-gare', quantity: 'windSpeed', value: 3.5 }; return msg;";
    await paste(page, [
      { id: 'aa01', type: 'inject', name: 'chaque seconde', props: [], repeat: '1', x: 150, y: 420, wires: [['aa02']] },
      { id: 'aa02', type: 'function', name: 'vent', func: sample, outputs: 1, libs: [], x: 350, y: 420, wires: [[]] },
    ]);
    await page.waitForSelector('[id="aa02"] .red-ui-flow-port-output');
    await drawWire(page, 'aa02', METROPOLE);
    await deploy();
    const from = new Date(Date.now() - 60_000).toISOString();
    const to = new Date(Date.now() + 60_000).toISOString();
    const wind = ['export', '--from', from, '--to', to, '--quantity', 'windSpeed', '--samples', '--json'];
    await until('the sample is exported', async () => (await demo.cigale(...wind)).includes('"value":3.5'));
    expect(JSON.parse((await demo.cigale(...wind)).split('\n')[0] ?? '')).toMatchObject({
      place: 'place-gare',
      unit: 'm/s',
      flags: ['injected'],
    });
  });

  it('is back by itself when it is killed, the page with it, and no sample waits for it', async () => {
    const pid = demo.editorPid() ?? 0;
    const accepted = await demo.accepted();
    process.kill(pid, 'SIGKILL');
    await until('samples go on', async () => (await demo.accepted()) > accepted);
    await until('another editor runs', () => ![undefined, pid].includes(demo.editorPid()));
    await until('the page is connected again', async () => {
      const before = (await statusTexts(page))[0];
      await until('the level changes', async () => (await statusTexts(page))[0] !== before, 5000).catch(
        () => undefined,
      );
      return (await statusTexts(page))[0] !== before && !(await notices()).includes('perdue');
    });
  });

  it('notices a version that was deployed elsewhere', async () => {
    await demo.cigale('flow', 'rollback', '2');
    await until('the page says so', async () =>
      (await notices()).includes('Les flux sur le serveur ont été mis à jour'),
    );
    await shot(page, 'real-4-elsewhere');
    await reload();
    expect(await page.locator('[id="aa02"]').count()).toBe(0);
    expect(await page.locator('.red-ui-flow-node-group').count()).toBe(9);
  });

  it('keeps a password that was typed once, uses it, and shows it nowhere', async () => {
    await inForm(page, BROKER, async () => {
      await page.fill('#node-config-input-url', `mqtt://127.0.0.1:${broker.port}`);
      await page.fill('#node-config-input-username', 'istres');
      await page.fill('#node-config-input-password', SECRET);
    });
    await deploy();
    await until('batches reach the broker that asks for it', () => broker.batches > 0);
    await reload();
    await inForm(page, BROKER, async () => {
      expect(await page.inputValue('#node-config-input-username')).toBe('istres');
      expect(await page.inputValue('#node-config-input-password')).toBe('__PWRD__');
      await page.fill('#node-config-input-clientId', 'gw-demo-2');
    });
    await deploy();
    await until('the other client id is let in too', () => broker.logins.includes('gw-demo-2'));
    expect(broker.logins).not.toContain(undefined);
    const shown = [
      (await demo.get('/v1/flow')).body,
      (await demo.get('/v1/status')).body,
      await demo.cigale('flow', 'show'),
      await (await fetch(new URL('flows', demo.url))).text(),
      await (await fetch(new URL(`credentials/cigale-broker/${BROKER}`, demo.url))).text(),
      demo.output,
    ];
    expect(shown.at(-2)).toContain('"has_password":true');
    expect(shown.filter((text) => text.includes(SECRET))).toEqual([]);
  });

  it('offers the shipped flows in its import dialog', async () => {
    await page.keyboard.press('Control+i');
    const dialog = page.locator('.ui-dialog:visible');
    await dialog.getByText('Exemples').first().click();
    await dialog.locator('.red-ui-treeList-label', { hasText: '@cigale/gateway' }).click();
    await dialog.locator('.red-ui-treeList-label', { hasText: 'bruit' }).waitFor();
    const offered = await dialog.locator('.red-ui-treeList-label').allInnerTexts();
    expect(offered).toEqual(expect.arrayContaining(['bruit', 'chaleur', 'comptage', 'ville-et-metropole']));
    await shot(page, 'real-5-examples');
  });
});
