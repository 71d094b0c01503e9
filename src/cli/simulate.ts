import { join } from 'node:path';
import { systemClock } from '../runtime/clock.ts';
import { say } from '../runtime/language.ts';
import { CounterFile } from '../sources/simulate/counter-file.ts';
import { SimulatedSensors } from '../sources/simulate/simulated-sensors.ts';
import { dataDirOf, hostPort, readArguments, text, wholeNumber } from './arguments.ts';
import { wrongUse } from './command-error.ts';
import type { Command } from './commands.ts';
import { EXIT } from './exit-codes.ts';
import { makeFolder } from './files.ts';
import { both } from './io.ts';
import { untilSignal } from './run.ts';

export const command: Command = {
  usage: both(
    "usage: cigale simulate --udp HOST:PORT [--serial PORT] [--seed N] [--data DIR]\n  sends the demo sensors' LoRaWAN frames to HOST:PORT and serves the noise meter's lines on TCP PORT (default 7001)",
    'usage : cigale simulate --udp HÔTE:PORT [--serial PORT] [--seed N] [--data DOSSIER]\n  envoie les trames LoRaWAN des capteurs de démonstration et sert le sonomètre en TCP sur PORT (7001 par défaut)',
  ),
  async run(args, io) {
    const { values } = readArguments(args, { udp: 'string', serial: 'string', seed: 'string' });
    const udp = text(values, 'udp');
    if (udp === undefined) throw wrongUse('simulate needs --udp HOST:PORT', 'simulate demande --udp HÔTE:PORT');
    const serialPort = wholeNumber(values, 'serial', 7001, [0, 65_535]);
    const seed = wholeNumber(values, 'seed', 1, [0, 2 ** 31 - 1]);
    const dataDir = dataDirOf(values);
    await makeFolder(dataDir);
    const { host, port } = hostPort(udp, '--udp');
    const sensors = new SimulatedSensors({
      host,
      udpPort: port,
      serialPort,
      seed,
      loraIntervalMs: 10_000,
      counters: new CounterFile(join(dataDir, 'simulator.json')),
      clock: systemClock,
      random: Math.random,
    });
    await sensors.start();
    sensors.run();
    io.out(
      say(
        both(
          `noise meter on tcp://${host}:${sensors.serialPort}, LoRaWAN frames to udp ${udp}; Ctrl-C stops`,
          `sonomètre sur tcp://${host}:${sensors.serialPort}, trames LoRaWAN vers udp ${udp} ; Ctrl-C arrête`,
        ),
        io.language,
      ),
    );
    await untilSignal();
    await sensors.stop();
    return EXIT.done;
  },
};
