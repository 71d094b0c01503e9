import { describe, expect, it } from 'vitest';
import { SdNotify } from '../../src/runtime/sd-notify.ts';
import { until } from '../e2e/running-gateway.ts';
import { memoryLog } from '../fakes/silent-log.ts';
import { missing, notifySocket } from './notify-socket.ts';

describe('what the service manager asks for', () => {
  it('is taken out of the environment, so that children do not speak for the service', () => {
    const env = { NOTIFY_SOCKET: '/run/x', WATCHDOG_USEC: '60000000', WATCHDOG_PID: String(process.pid), LANG: 'C' };
    const notify = new SdNotify(env, memoryLog());
    expect(notify.isActive).toBe(true);
    expect(notify.watchdogMs).toBe(60_000);
    expect(env).toEqual({ LANG: 'C' });
  });

  it.each([
    ['no socket', { WATCHDOG_USEC: '60000000' }],
    ['no interval', { NOTIFY_SOCKET: '/run/x' }],
    ['another process meant', { NOTIFY_SOCKET: '/run/x', WATCHDOG_USEC: '60000000', WATCHDOG_PID: '1' }],
    ['an interval that is no number', { NOTIFY_SOCKET: '/run/x', WATCHDOG_USEC: 'soon' }],
    ['an interval of zero', { NOTIFY_SOCKET: '/run/x', WATCHDOG_USEC: '0' }],
  ])('is no watchdog with %s', (_what, env) => {
    expect(new SdNotify({ ...env }, memoryLog()).watchdogMs).toBe(null);
  });
});

describe('telling the service manager', () => {
  it('says nothing, and does not fail, where there is none', async () => {
    const log = memoryLog();
    const notify = new SdNotify({}, log, '/nonexistent/systemd-notify');
    await Promise.all([notify.ready(), notify.alive(), notify.stopping()]);
    expect(log.lines).toEqual([]);
  });

  it('logs once that the program is missing, and goes on', async () => {
    const log = memoryLog();
    const notify = new SdNotify({ NOTIFY_SOCKET: '/run/x' }, log, '/nonexistent/systemd-notify');
    await notify.ready();
    await notify.alive();
    await notify.stopping();
    expect(log.lines.map(({ level }) => level)).toEqual(['warn']);
  });

  it.skipIf(missing !== '')('sends each message in the order it was given', async () => {
    const socket = await notifySocket();
    const notify = new SdNotify({ NOTIFY_SOCKET: socket.path }, memoryLog());
    await Promise.all([notify.ready(), notify.stopping()]);
    await until('both came', () => socket.messages().length >= 2);
    expect(socket.messages()).toEqual(['READY=1', 'STOPPING=1']);
  });

  it.skipIf(missing !== '')('sends one sign of life at a time', async () => {
    const socket = await notifySocket();
    const notify = new SdNotify({ NOTIFY_SOCKET: socket.path }, memoryLog());
    await Promise.all([notify.alive(), notify.alive(), notify.alive()]);
    await notify.stopping();
    await until('the last came', () => socket.messages().at(-1) === 'STOPPING=1');
    expect(socket.messages()).toEqual(['WATCHDOG=1', 'STOPPING=1']);
  });
});
