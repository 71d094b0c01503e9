import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, afterAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { systemClock } from '../../src/runtime/clock.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { Upstream } from '../../src/forward/upstream.ts';
import { memoryLog } from '../fakes/silent-log.ts';
import { Mosquitto } from './mosquitto.ts';

const openssl = (...args: readonly string[]): Promise<unknown> => promisify(execFile)('openssl', args);
const PATIENCE = { timeout: 20_000 };

let folder: string;
const file = (name: string): string => join(folder, name);

async function authority(name: string): Promise<void> {
  const subject = ['-subj', `/CN=${name}`, '-days', '2', '-nodes', '-newkey', 'rsa:2048'];
  await openssl('req', '-x509', ...subject, '-keyout', file(`${name}.key`), '-out', file(`${name}.crt`));
}

async function certificate(name: string, by: string, subject: string, alternative: string): Promise<void> {
  const request = [
    '-subj',
    `/CN=${subject}`,
    '-nodes',
    '-newkey',
    'rsa:2048',
    '-addext',
    `subjectAltName=${alternative}`,
  ];
  await openssl('req', ...request, '-keyout', file(`${name}.key`), '-out', file(`${name}.csr`));
  const signer = ['-CA', file(`${by}.crt`), '-CAkey', file(`${by}.key`), '-CAcreateserial', '-copy_extensions', 'copy'];
  await openssl('x509', '-req', '-in', file(`${name}.csr`), ...signer, '-days', '2', '-out', file(`${name}.crt`));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cigale-tls-'));
  await authority('ca');
  await authority('stranger');
  await certificate('broker', 'ca', 'broker', 'IP:127.0.0.1');
  await certificate('elsewhere', 'ca', 'elsewhere', 'DNS:elsewhere.example');
  await certificate('gateway', 'ca', 'gw', 'DNS:gw');
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function tlsBroker(name: string): Promise<Mosquitto> {
  const text = async (path: string): Promise<string> => readFile(file(path), 'utf8');
  const broker = await Mosquitto.create(
    ['cafile {folder}/ca.crt', 'certfile {folder}/b.crt', 'keyfile {folder}/b.key', 'require_certificate true'],
    { 'ca.crt': await text('ca.crt'), 'b.crt': await text(`${name}.crt`), 'b.key': await text(`${name}.key`) },
  );
  await broker.start();
  onTestFinished(() => broker.remove());
  return broker;
}

async function upstreamOf(broker: Mosquitto, ca: string, own: string): Promise<Upstream> {
  const upstream = new Upstream(
    {
      nodeId: 'broker-1',
      name: '',
      url: broker.url.replace('mqtt:', 'mqtts:'),
      protocol: 5,
      topicPrefix: 'cigale/v1',
      clientId: '',
      caFile: ca === '' ? '' : file(ca),
      certFile: own === '' ? '' : file(`${own}.crt`),
      keyFile: own === '' ? '' : file(`${own}.key`),
      allowNoSubscriber: false,
    },
    { gateway: 'gw', epoch: 'E', credentials: {}, reconnectFirstMs: 50, reconnectMaxMs: 200 },
    { clock: systemClock, log: memoryLog(), metrics: new Metrics(), random: Math.random },
  );
  onTestFinished(() => upstream.stop());
  await upstream.start();
  return upstream;
}

describe('over TLS', () => {
  it('connects with the right authority and its own certificate', async () => {
    const upstream = await upstreamOf(await tlsBroker('broker'), 'ca.crt', 'gateway');
    await vi.waitFor(() => expect(upstream.online).toBe(true), PATIENCE);
  });

  it.each([
    ['a broker of another authority', 'broker', 'stranger.crt', 'gateway', 'BROKER_REFUSED'],
    ['a broker that no known authority vouches for', 'broker', '', 'gateway', 'BROKER_REFUSED'],
    ['a certificate for another host', 'elsewhere', 'ca.crt', 'gateway', 'BROKER_REFUSED'],
    ['a broker that wants a certificate and gets none', 'broker', 'ca.crt', '', 'BROKER_REFUSED'],
  ])('does not connect to %s, and says so', async (_what, name, ca, own, code) => {
    const upstream = await upstreamOf(await tlsBroker(name), ca, own);
    await vi.waitFor(() => expect(upstream.status().error?.code).toBe(code), PATIENCE);
    expect(upstream.online).toBe(false);
  });
});
