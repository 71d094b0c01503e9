import { z } from 'zod';
import type { PortSettings } from '../../model/plan.ts';
import { blankAsAbsent, choice, documented, integer, report, unescapeText } from '../fields.ts';
import { defineNode } from '../node-type.ts';

function isSerialServer(path: string): boolean {
  if (!path.startsWith('tcp://') || !URL.canParse(path)) return false;
  const { hostname, port, pathname } = new URL(path);
  return hostname !== '' && port !== '' && (pathname === '' || pathname === '/');
}

const path = documented(
  z.preprocess(
    blankAsAbsent,
    z
      .string()
      .max(500)
      .superRefine((value, sink) => {
        if (/^\/[^\0]+$/.test(value) || isSerialServer(value)) return;
        report(sink, 'PROPERTY_INVALID', {
          en: 'takes a port such as /dev/serial/by-id/…, or tcp://host:port of a serial server.',
          fr: "prend un port tel que /dev/serial/by-id/…, ou tcp://hôte:port d'un serveur série.",
        });
      }),
  ),
  { kind: '`/dev/…` or `tcp://host:port`', unit: '', default: 'required' },
);

const DELIMITERS = ['\r\n', '\n', '\r'] as const;

const delimiter = documented(
  z.unknown().transform((value, sink): string => {
    if (value === undefined || value === null || value === '') return '\r\n';
    const given = typeof value === 'string' ? unescapeText(value) : '';
    if (DELIMITERS.some((known) => known === given)) return given;
    report(sink, 'PROPERTY_INVALID', {
      en: 'takes \\r\\n, \\n or \\r.',
      fr: 'prend \\r\\n, \\n ou \\r.',
    });
    return z.NEVER;
  }),
  { kind: '`\\r\\n` `\\n` `\\r`', unit: '', default: '\\r\\n' },
);

const schema = z.object({
  path,
  baudRate: integer({ min: 50, max: 4_000_000, default: 9600, unit: 'baud' }),
  dataBits: choice([5, 6, 7, 8], 8),
  parity: choice(['none', 'even', 'odd'], 'none'),
  stopBits: choice([1, 1.5, 2], 1),
  framing: choice(['line'], 'line', ['length', 'timeout', 'fixed', 'modbus-rtu', 'slip']),
  delimiter,
  maxFrameBytes: integer({ min: 16, max: 65_536, default: 1024, unit: 'bytes' }),
});

/** A serial port or serial server; several sources may share it. */
export const portNode = defineNode({
  type: 'cigale-port',
  role: 'config',
  accepts: [],
  outputs: [],
  schema,
  settings: (node, given): PortSettings => ({
    nodeId: node.id,
    name: node.name,
    path: given.path,
    baudRate: given.baudRate,
    dataBits: given.dataBits,
    parity: given.parity,
    stopBits: given.stopBits,
    framing: given.framing,
    delimiter: given.delimiter,
    maxFrameBytes: given.maxFrameBytes,
  }),
});
