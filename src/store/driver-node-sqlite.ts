import { Worker } from 'node:worker_threads';
import { siblingModule } from '../runtime/module-url.ts';
import type { Row, SqlValue, Statement } from './database.ts';
import type { Driver } from './driver.ts';
import type { WorkerAnswer, WorkerRequest } from './node-sqlite-worker.ts';
import { closedError, gatewayErrorOf } from './sqlite-fault.ts';

/** Node's own SQLite. It is synchronous, so it lives in a worker thread: a slow fsync must not stop the serial ports. */
export async function connectNodeSqlite(path: string): Promise<Driver> {
  const calls = new WorkerCalls(path);
  try {
    await calls.call({ kind: 'open' });
    const [row] = await calls.call({ kind: 'read', sql: 'SELECT sqlite_version() AS version', params: [] });
    return new NodeSqliteDriver(calls, String(row?.['version']));
  } catch (error) {
    await calls.end();
    throw error;
  }
}

class NodeSqliteDriver implements Driver {
  readonly name = 'node:sqlite';
  readonly sqliteVersion: string;
  readonly #calls: WorkerCalls;
  #closing: Promise<void> | undefined;

  constructor(calls: WorkerCalls, sqliteVersion: string) {
    this.#calls = calls;
    this.sqliteVersion = sqliteVersion;
  }

  read(sql: string, params: readonly SqlValue[] = []): Promise<readonly Row[]> {
    return this.#closing === undefined
      ? this.#calls.call({ kind: 'read', sql, params })
      : Promise.reject(closedError());
  }

  async transaction(statements: readonly Statement[]): Promise<void> {
    if (this.#closing !== undefined) throw closedError();
    await this.#calls.call({ kind: 'transaction', statements });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    try {
      await this.#calls.call({ kind: 'close' });
    } finally {
      await this.#calls.end();
    }
  }
}

type Call = WorkerRequest extends infer Request ? (Request extends unknown ? Omit<Request, 'id'> : never) : never;

interface Waiting {
  readonly sql: string;
  readonly resolve: (rows: readonly Row[]) => void;
  readonly reject: (error: Error) => void;
}

/** Requests to the worker and the promises that wait for its answers. */
class WorkerCalls {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #hasEnded = false;

  constructor(path: string) {
    this.#worker = new Worker(siblingModule(import.meta.url, 'node-sqlite-worker'), {
      workerData: { path },
      resourceLimits: { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 64 },
    });
    this.#worker.on('message', (answer: WorkerAnswer) => this.#settle(answer));
    this.#worker.on('error', (error) => this.#fail(error.message));
    this.#worker.on('exit', () => this.#fail('the database thread has ended'));
  }

  call(request: Call): Promise<readonly Row[]> {
    if (this.#hasEnded) return Promise.reject(endedError('the database thread has ended'));
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      this.#waiting.set(id, { sql: 'sql' in request ? request.sql : request.kind, resolve, reject });
      this.#worker.postMessage({ ...request, id }, []);
    });
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #settle({ id, rows, fault }: WorkerAnswer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (fault === undefined) waiting?.resolve(rows ?? []);
    else waiting?.reject(gatewayErrorOf(fault, { sql: waiting.sql }));
  }

  #fail(message: string): void {
    this.#hasEnded = true;
    for (const { reject } of this.#waiting.values()) reject(endedError(message));
    this.#waiting.clear();
  }
}

const endedError = (message: string): Error => gatewayErrorOf({ resultCode: 0, message, phase: 'commit' });
