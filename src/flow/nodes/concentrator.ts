import { isIP } from 'node:net';
import { z } from 'zod';
import type { ConcentratorSettings } from '../../model/plan.ts';
import { blankAsAbsent, choice, documented, integer, listOrAsIs, report, textOrAsIs } from '../fields.ts';
import { defineNode } from '../node-type.ts';

const bind = documented(
  z.preprocess(
    blankAsAbsent,
    z
      .string()
      .superRefine((value, sink) => {
        if (isIP(value) !== 0 || value === 'localhost') return;
        report(sink, 'PROPERTY_INVALID', {
          en: 'takes an IP address of this machine: 127.0.0.1, or 0.0.0.0 for all.',
          fr: 'prend une adresse IP de cette machine : 127.0.0.1, ou 0.0.0.0 pour toutes.',
        });
      })
      .default('127.0.0.1'),
  ),
  { kind: 'IP address', unit: '', default: '127.0.0.1' },
);

const gateways = documented(
  z.preprocess(
    listOrAsIs,
    z
      .array(
        z.string().transform((value, sink) => {
          const eui = value.replaceAll(/[-:\s]/g, '').toLowerCase();
          if (/^[0-9a-f]{16}$/.test(eui)) return eui;
          report(sink, 'PROPERTY_INVALID', {
            en: 'takes an EUI of 16 hexadecimal digits, as printed on the concentrator.',
            fr: 'prend un EUI de 16 chiffres hexadécimaux, imprimé sur le concentrateur.',
          });
          return z.NEVER;
        }),
      )
      .max(1000)
      .default([]),
  ),
  { kind: 'list of EUIs (16 hex digits)', unit: '', default: 'empty' },
);

const netId = documented(
  z.preprocess(
    textOrAsIs,
    z
      .string()
      .superRefine((value, sink) => {
        if (/^[0-9a-fA-F]{6}$/.test(value)) return;
        report(sink, 'PROPERTY_INVALID', {
          en: 'takes a LoRaWAN NetID of 6 hexadecimal digits.',
          fr: 'prend un NetID LoRaWAN de 6 chiffres hexadécimaux.',
        });
      })
      .default('000000'),
  ),
  { kind: '6 hex digits', unit: '', default: '000000' },
);

const schema = z.object({
  kind: choice(['udp'], 'udp', ['basics-station', 'chirpstack', 'ttn']),
  bind,
  port: integer({ min: 0, max: 65_535, default: 1700, unit: 'UDP port' }),
  gateways,
  region: choice(['EU868'], 'EU868', ['US915', 'AS923', 'AU915', 'IN865', 'KR920', 'RU864', 'CN470', 'EU433']),
  netId,
});

/** Where LoRa concentrators deliver what they hear. */
export const concentratorNode = defineNode({
  type: 'cigale-concentrator',
  role: 'config',
  accepts: [],
  outputs: [],
  schema,
  settings: (node, given): ConcentratorSettings => ({
    nodeId: node.id,
    name: node.name,
    kind: given.kind,
    bind: given.bind,
    port: given.port,
    gateways: [...new Set(given.gateways)],
    region: given.region,
    netId: given.netId.toLowerCase(),
  }),
});
