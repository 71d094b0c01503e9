import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DeployRefused } from '../../src/editor/deploy-refused.ts';
import { FlowStorage } from '../../src/editor/flow-storage.ts';
import { GatewayClient } from '../../src/editor/gateway-client.ts';
import { FakeGateway, fault } from './fake-gateway.ts';

let gateway: FakeGateway;
let storage: FlowStorage;
let refusals: (DeployRefused | null)[];

beforeEach(async () => {
  gateway = await new FakeGateway().start();
  refusals = [];
  storage = new FlowStorage(new GatewayClient(gateway.socketPath), 'fr', (refusal) => refusals.push(refusal));
});
afterEach(() => gateway.stop());

describe('flows and credentials in the gateway', () => {
  it('commits staged credentials with the flow and its author, in one request', async () => {
    await storage.getFlows();
    storage.saveCredentials({ b1: { username: 'istres', password: 'secret' } });
    expect(gateway.credentials).toEqual({});
    await storage.saveFlows([{ id: 'b1', type: 'cigale-broker' }], 'marie');
    expect(gateway.flow).toEqual([{ id: 'b1', type: 'cigale-broker' }]);
    expect(await storage.getCredentials()).toEqual({ b1: { username: 'istres', password: 'secret' } });
    expect(gateway.authors).toEqual(['marie']);
    expect(storage.version).toBe(1);
  });

  it('rejects both when the gateway refuses the flow, and sends the credentials again with the next deploy', async () => {
    await storage.getFlows();
    gateway.faults = [fault('s1', 'stream is missing', 'il manque le flux d’envoi')];
    storage.saveCredentials({ b1: { password: 'secret' } });
    const refused = await storage.saveFlows([], 'marie').catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'FLOW_INVALID', faults: gateway.faults });
    expect([gateway.credentials, gateway.version]).toEqual([{}, 0]);
    gateway.faults = [];
    await storage.saveFlows([{ id: 'b1' }], 'marie');
    expect(gateway.credentials).toEqual({ b1: { password: 'secret' } });
    expect(refusals).toEqual([refused, null]);
  });

  it('does not overwrite a version that somebody else deployed', async () => {
    await storage.getFlows();
    gateway.version = 7;
    gateway.flow = [{ id: 'other' }];
    await expect(storage.saveFlows([], 'marie')).rejects.toMatchObject({ code: 'version_mismatch', status: 409 });
    expect(gateway.flow).toEqual([{ id: 'other' }]);
  });

  it('gives the flow it has when the gateway is away, and an error when it has none: never an empty flow', async () => {
    gateway.flow = [{ id: 'n1' }];
    await storage.getFlows();
    await gateway.disconnect();
    expect(await storage.getFlows()).toEqual([{ id: 'n1' }]);
    const fresh = new FlowStorage(new GatewayClient(gateway.socketPath), 'fr', () => {});
    await expect(fresh.getFlows()).rejects.toMatchObject({ code: 'GATEWAY_NOT_RUNNING' });
  });

  it('keeps values that are not text', async () => {
    await storage.getFlows();
    storage.saveCredentials({ global: { map: { KEY: 'x' } } });
    await storage.saveFlows([], 'marie');
    expect(await storage.getCredentials()).toEqual({ global: { map: { KEY: 'x' } } });
  });
});
