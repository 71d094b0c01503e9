import { readFile } from 'node:fs/promises';
import type { IClientOptions } from 'mqtt';
import type { BrokerSettings } from '../model/plan.ts';
import { GatewayError, messageOf } from '../runtime/errors.ts';

export interface Credentials {
  readonly username?: string;
  readonly password?: string;
}

/** A half-open connection is found after 1.5 times this (MQTT 5 §3.1.2.10). */
const KEEPALIVE_SECONDS = 30;
const CONNECT_TIMEOUT_MS = 20_000;
const PROTOCOLS: ReadonlySet<string> = new Set(['mqtt:', 'mqtts:', 'ws:', 'wss:']);

/**
 * Options for one connection. The library reconnects, queues and resends nothing: `reconnectPeriod` 0, a clean start,
 * no queue. Certificates are always checked: there is no way to turn that off.
 * @throws GatewayError BROKER_CONFIG when the URL or a certificate file cannot be used.
 */
export async function connectOptions(
  settings: Pick<BrokerSettings, 'url' | 'protocol' | 'caFile' | 'certFile' | 'keyFile'>,
  clientId: string,
  credentials: Credentials,
): Promise<IClientOptions> {
  if (!PROTOCOLS.has(URL.parse(settings.url)?.protocol ?? ''))
    throw new GatewayError('BROKER_CONFIG', 'the broker URL cannot be used', { context: { url: bare(settings.url) } });
  const [ca, cert, key] = await Promise.all([
    fileOf('ca', settings.caFile),
    fileOf('cert', settings.certFile),
    fileOf('key', settings.keyFile),
  ]);
  return {
    protocolVersion: settings.protocol,
    clientId,
    clean: true,
    keepalive: KEEPALIVE_SECONDS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    timerVariant: 'native',
    // By default the library makes a Buffer of every 16-bit number in advance: 65,536 objects, 8 MB, to save two bytes of writing.
    writeCache: false,
    ...(credentials.username === undefined ? {} : { username: credentials.username }),
    ...(credentials.password === undefined ? {} : { password: credentials.password }),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

/** A URL without user and password, for logs. */
export function bare(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null) return '(not a URL)';
  parsed.username = '';
  parsed.password = '';
  return parsed.href;
}

async function fileOf(field: string, path: string): Promise<Buffer | undefined> {
  if (path === '') return undefined;
  try {
    return await readFile(path);
  } catch (error) {
    throw new GatewayError('BROKER_CONFIG', `the ${field} file cannot be read: ${messageOf(error)}`, {
      context: { field, path },
      cause: error,
    });
  }
}
