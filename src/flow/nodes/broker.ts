import { z } from 'zod';
import type { BrokerSettings } from '../../model/plan.ts';
import { blankAsAbsent, choice, documented, flag, report, text } from '../fields.ts';
import { defineNode } from '../node-type.ts';

const SCHEMES: ReadonlySet<string> = new Set(['mqtt:', 'mqtts:', 'ws:', 'wss:']);

const url = documented(
  z.preprocess(
    blankAsAbsent,
    z
      .string()
      .max(500)
      .superRefine((value, sink) => {
        const parsed = URL.canParse(value) ? new URL(value) : null;
        if (parsed === null || !SCHEMES.has(parsed.protocol) || parsed.hostname === '') {
          report(sink, 'PROPERTY_INVALID', {
            en: 'takes an address such as mqtts://broker.example:8883 (mqtt, mqtts, ws or wss).',
            fr: 'prend une adresse telle que mqtts://serveur.exemple:8883 (mqtt, mqtts, ws ou wss).',
          });
        } else if (parsed.username !== '' || parsed.password !== '') {
          report(sink, 'CREDENTIALS_IN_FLOW', {
            en: 'holds a user or password: remove them, and set them with "cigale secrets set".',
            fr: 'contient un utilisateur ou un mot de passe : retirez-les et définissez-les avec « cigale secrets set ».',
          });
        }
      }),
  ),
  { kind: 'URL `mqtt` `mqtts` `ws` `wss`', unit: '', default: 'required' },
);

const topicPrefix = documented(
  z.preprocess(
    blankAsAbsent,
    z
      .string()
      .max(200)
      .superRefine((value, sink) => {
        if (/^[^#+$/\p{Cc}][^#+\p{Cc}]*(?<!\/)$/u.test(value)) return;
        report(sink, 'PROPERTY_INVALID', {
          en: 'takes a topic such as cigale/v1, without # and +, and without / at its ends.',
          fr: 'prend un sujet tel que cigale/v1, sans # ni +, et sans / aux extrémités.',
        });
      })
      .default('cigale/v1'),
  ),
  { kind: 'topic', unit: '', default: 'cigale/v1' },
);

const file = () =>
  documented(
    z.preprocess(
      blankAsAbsent,
      z
        .string()
        .max(1000)
        .superRefine((value, sink) => {
          if (value.startsWith('/') && !value.includes('\0')) return;
          report(sink, 'PROPERTY_INVALID', {
            en: 'takes the whole path of a file, starting with /.',
            fr: "prend le chemin complet d'un fichier, commençant par /.",
          });
        })
        .default(''),
    ),
    { kind: 'file path (PEM)', unit: '', default: 'empty' },
  );

const schema = z
  .object({
    url,
    protocol: choice([5, 4], 5),
    acceptSilentLoss: flag(false),
    topicPrefix,
    clientId: text(128),
    ca: file(),
    cert: file(),
    key: file(),
    allowNoSubscriber: flag(false),
  })
  .superRefine((given, sink) => {
    if (given.protocol === 4 && !given.acceptSilentLoss) {
      const text = {
        en: 'must be set for protocol 4: MQTT 3.1.1 cannot tell that a broker refused a batch. Choose 5 if the broker can.',
        fr: "doit être coché pour le protocole 4 : MQTT 3.1.1 ne peut pas dire qu'un serveur a refusé un lot. Choisissez 5 si possible.",
      };
      report(sink, 'SILENT_LOSS_NOT_ACCEPTED', text, ['acceptSilentLoss']);
    }
    if ((given.cert === '') !== (given.key === '')) {
      const text = {
        en: 'goes with the other file: give both "cert" and "key", or neither.',
        fr: "va avec l'autre fichier : donnez « cert » et « key », ou aucun.",
      };
      report(sink, 'PROPERTY_MISSING', text, [given.key === '' ? 'key' : 'cert']);
    }
  });

/** An MQTT broker upstream. */
export const brokerNode = defineNode({
  type: 'cigale-broker',
  role: 'config',
  accepts: [],
  outputs: [],
  secrets: ['username', 'password'],
  schema,
  settings: (node, given): BrokerSettings => ({
    nodeId: node.id,
    name: node.name,
    url: given.url,
    protocol: given.protocol,
    topicPrefix: given.topicPrefix,
    clientId: given.clientId,
    caFile: given.ca,
    certFile: given.cert,
    keyFile: given.key,
    allowNoSubscriber: given.allowNoSubscriber,
  }),
});
