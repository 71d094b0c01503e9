import { readSync } from 'node:fs';
import type { SerialPort } from 'serialport';
import { systemCode } from '../../runtime/errors.ts';
import { sleep, type Clock } from '../../runtime/clock.ts';

type AnyBinding = typeof SerialPort.binding;
type Opened = Awaited<ReturnType<AnyBinding['open']>>;
type OpenOptions = Parameters<AnyBinding['open']>[0];
type PolledPort = Extract<Opened, { poller: unknown }>;

/** The binding of whatever platform this is. */
interface Binding {
  list: AnyBinding['list'];
  open(options: OpenOptions): Promise<Opened>;
}

/** Half of what the kernel's line discipline holds for a reader (N_TTY_BUF_SIZE, 4,096 bytes): one read gives no more. */
const CROWDED_BYTES = 2048;

interface Read {
  readonly buffer: Buffer;
  readonly bytesRead: number;
}

/**
 * serialport's own binding, but for how it reads: it waits until the port has something, then `readIntervalMs` for more
 * to come, then reads all of it at once. A slow line otherwise costs one wake-up, one failed read and one round through
 * the thread pool for each little chunk. Between reads the port is always polled, so an unplug is noticed at once.
 * A line so fast that it fills the kernel's buffer meanwhile is read without waiting, until it is empty.
 */
export function pacedBinding(native: Binding, clock: Clock, readIntervalMs: number): Binding {
  /** Ports that had so much to read that more is probably held back behind it. */
  const crowded = new WeakSet<PolledPort>();
  return {
    list: () => native.list(),
    open: async (options) => {
      const port = await native.open(options);
      if ('poller' in port) port.read = (buffer, offset, length) => read(port, { buffer, offset, length });
      return port;
    },
  };

  async function read(port: PolledPort, into: Space): Promise<Read> {
    for (;;) {
      await readable(port);
      if (readIntervalMs > 0 && !crowded.has(port)) await sleep(clock, readIntervalMs);
      const bytesRead = readNow(port, into);
      if (bytesRead >= CROWDED_BYTES) crowded.add(port);
      else crowded.delete(port);
      if (bytesRead > 0) return { buffer: into.buffer, bytesRead };
    }
  }
}

interface Space {
  readonly buffer: Buffer;
  readonly offset: number;
  readonly length: number;
}

const readable = (port: PolledPort): Promise<void> =>
  new Promise((resolve, reject) => {
    if (!port.isOpen) reject(canceled());
    port.poller.once('readable', (error) => (error === null ? resolve() : reject(error)));
  });

/**
 * 0: nothing to read after all. The descriptor is non-blocking, so this never waits; through the thread pool a slow
 * disk's fsyncs would delay it. End of file on a raw port means that the line was hung up.
 */
function readNow(port: PolledPort, into: Space): number {
  if (port.fd === null) throw canceled();
  try {
    const bytesRead = readSync(port.fd, into.buffer, into.offset, into.length, null);
    if (bytesRead === 0) throw new Error('the port was hung up');
    return bytesRead;
  } catch (error) {
    if (RETRY.has(systemCode(error) ?? '')) return 0;
    throw error;
  }
}

const RETRY: ReadonlySet<string> = new Set(['EAGAIN', 'EWOULDBLOCK', 'EINTR']);

/** What the stream expects of a read that ends because the port was closed on purpose. */
const canceled = (): Error => Object.assign(new Error('Canceled'), { canceled: true });
