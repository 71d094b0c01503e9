import { once } from 'node:events';
import type { SerialPort } from 'serialport';
import type { Clock } from '../../runtime/clock.ts';
import { GatewayError, messageOf } from '../../runtime/errors.ts';
import type { PortSettings } from '../../model/plan.ts';
import { BoundedWriter } from './bounded-writer.ts';
import { pacedBinding } from './paced-binding.ts';
import { checkPortFile, explainOpenFailure } from './port-diagnosis.ts';
import type { Link, LinkEvents, Transport } from './transport.ts';

/** Size of the read pool; a line at 115,200 baud gives 576 bytes in 50 ms. */
const READ_POOL_BYTES = 16_384;

/** A serial port of this machine. The library is loaded when the first port is really there. */
export const ttyTransport =
  (settings: PortSettings, clock: Clock, readIntervalMs: number): Transport =>
  async (events) => {
    await checkPortFile(settings.path);
    const port = await createPort(settings, clock, readIntervalMs);
    const link = watch(port, events);
    try {
      await new Promise<void>((resolve, reject) => {
        port.open((error) => (error === null ? resolve() : reject(error)));
      });
    } catch (error) {
      throw await explainOpenFailure(settings.path, error);
    }
    return link;
  };

async function createPort(settings: PortSettings, clock: Clock, readIntervalMs: number): Promise<SerialPort> {
  const { SerialPort } = await import('serialport');
  const { path, baudRate, dataBits, parity, stopBits } = settings;
  const reading = { binding: pacedBinding(SerialPort.binding, clock, readIntervalMs) };
  const line = { path, baudRate, dataBits, parity, stopBits };
  return new SerialPort({ ...line, autoOpen: false, highWaterMark: READ_POOL_BYTES, ...reading });
}

function watch(port: SerialPort, events: LinkEvents): Link {
  const writer = new BoundedWriter(port);
  let isOver = false;
  const end = (cause: unknown): void => {
    writer.close();
    if (isOver) return;
    isOver = true;
    const message = cause instanceof Error ? messageOf(cause) : 'the port was closed';
    events.onClosed(new GatewayError('SERIAL_DISCONNECTED', message, { cause }));
  };
  port.on('data', (bytes: Buffer) => events.onBytes(bytes));
  port.on('error', end);
  port.on('close', end);
  const close = async (): Promise<void> => {
    isOver = true;
    writer.close();
    if (port.closing) await once(port, 'close');
    else if (port.isOpen) await new Promise<void>((resolve) => port.close(() => resolve()));
  };
  return { write: (bytes) => writer.write(bytes), close };
}
