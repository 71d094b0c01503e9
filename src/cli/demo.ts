import { join } from 'node:path';
import { receiveBatches } from '../forward/receive.ts';
import type { ReceivedBatch } from '../forward/received-batch.ts';
import { apiToken, Gateway } from '../gateway.ts';
import { systemClock } from '../runtime/clock.ts';
import { say } from '../runtime/language.ts';
import { stopAll, type Service } from '../runtime/lifecycle.ts';
import { createLog } from '../runtime/log.ts';
import { Metrics } from '../runtime/metrics.ts';
import { CounterFile } from '../sources/simulate/counter-file.ts';
import { EmbeddedBroker } from '../sources/simulate/embedded-broker.ts';
import { SimulatedSensors } from '../sources/simulate/simulated-sensors.ts';
import { dataDirOf, readArguments } from './arguments.ts';
import type { Command } from './commands.ts';
import { demoFolder, freeTcpPort, freeUdpPort, loadDemoRegistry } from './demo-setup.ts';
import { EXIT } from './exit-codes.ts';
import { makeFolder } from './files.ts';
import { both, type Io } from './io.ts';
import { untilSignal } from './run.ts';

const HOST = '127.0.0.1';
const LORA_INTERVAL_MS = 10_000;

/** One line a batch, with an example of what is in it. */
function describeBatch({ stream, seq, records, wireBytes }: ReceivedBatch, io: Io): string {
  const aggregates = records.filter((record) => record['kind'] === 'aggregate');
  const example = aggregates.at(-1) ?? records.at(-1) ?? {};
  const value =
    example['kind'] === 'aggregate'
      ? JSON.stringify(example['values'])
      : `${String(example['value'])} ${String(example['unit'])}`;
  const what = `${String(example['place'])} ${String(example['quantity'])} ${value}`;
  const head = both(
    `batch ${stream} no ${seq}: ${records.length} records (${aggregates.length} aggregates), ${wireBytes} bytes, hash verified`,
    `lot ${stream} n° ${seq} : ${records.length} enregistrements (${aggregates.length} agrégats), ${wireBytes} octets, empreinte vérifiée`,
  );
  return `${say(head, io.language)}\n    ${what}`;
}

async function startReceiver(port: number, io: Io): Promise<Service> {
  const seen = new Set<string>();
  return receiveBatches(
    {
      brokerUrl: `mqtt://${HOST}:${port}`,
      prefix: 'cigale/v1',
      protocol: 4,
      clientId: 'cigale-demo-receiver',
      onRecord: (_record, batch) => {
        const key = `${batch.stream}/${batch.epoch}/${batch.seq}`;
        if (seen.has(key)) return;
        seen.clear();
        seen.add(key);
        io.out(describeBatch(batch, io));
      },
      onProblem: ({ kind, detail }) => io.err(`${kind}: ${detail}`),
    },
    { clock: systemClock, log: createLog('error') },
  );
}

function announce(io: Io, editorPort: number, apiPort: number, token: string, dataDir: string): void {
  for (const line of [
    both(
      'Cigale demo: a noise meter, a counter and three heat stations, simulated, over real protocols.',
      'Démonstration Cigale : un sonomètre, un compteur et trois stations de chaleur, simulés, par de vrais protocoles.',
    ),
    both(`  the flow:  http://${HOST}:${editorPort}/`, `  le flux :  http://${HOST}:${editorPort}/`),
    both(
      `  the page:  http://${HOST}:${apiPort}/#token=${token}`,
      `  la page :  http://${HOST}:${apiPort}/#token=${token}`,
    ),
    both(
      `  the data:  ${dataDir}   (cigale status --data ${dataDir})`,
      `  données :  ${dataDir}   (cigale status --data ${dataDir})`,
    ),
    both(
      '  Ctrl-C stops it. Batches as they arrive at the broker:',
      '  Ctrl-C l’arrête. Les lots, à leur arrivée au serveur :',
    ),
  ])
    io.out(say(line, io.language));
}

export const command: Command = {
  usage: both(
    'usage: cigale demo [--data DIR]   (default ./data/demo)',
    'usage : cigale demo [--data DOSSIER]   (par défaut ./data/demo)',
  ),
  async run(args, io) {
    const { values } = readArguments(args);
    const dataDir =
      values['data'] === undefined && process.env['CIGALE_DATA'] === undefined ? './data/demo' : dataDirOf(values);
    await makeFolder(dataDir);
    const signal = untilSignal();
    const log = createLog('error');
    const running: Service[] = [];
    const started = async <Part extends Service>(part: Part): Promise<Part> => {
      running.push(part);
      await part.start();
      return part;
    };
    try {
      const folder = await demoFolder();
      const broker = await started(new EmbeddedBroker(HOST, await freeTcpPort(18_830)));
      running.push(await startReceiver(broker.port, io));
      const udpPort = await freeUdpPort(17_000);
      const counters = new CounterFile(join(dataDir, 'simulator.json'));
      const sensors = await started(
        new SimulatedSensors({
          host: HOST,
          serialPort: 0,
          udpPort,
          seed: 1,
          loraIntervalMs: LORA_INTERVAL_MS,
          counters,
          clock: systemClock,
          random: Math.random,
        }),
      );
      const [editorPort, apiPort] = [await freeTcpPort(1880), await freeTcpPort(8080)];
      const env = {
        ...process.env,
        CIGALE_DEMO_MQTT: String(broker.port),
        CIGALE_DEMO_SERIAL: String(sensors.serialPort),
        CIGALE_DEMO_UDP: String(udpPort),
      };
      const gateway = new Gateway(
        {
          dataDir,
          flowFile: join(folder, 'flow.json'),
          editor: { host: HOST, port: editorPort },
          api: { host: HOST, port: apiPort },
          language: io.language,
          env,
        },
        { clock: systemClock, log, metrics: new Metrics(), random: Math.random },
      );
      await started(gateway);
      await loadDemoRegistry(gateway.port, folder);
      sensors.run();
      announce(io, editorPort, apiPort, await apiToken(dataDir), dataDir);
      await signal;
      io.out(say(both('stopping…', 'arrêt…'), io.language));
    } finally {
      await stopAll(running, log);
    }
    return EXIT.done;
  },
};
