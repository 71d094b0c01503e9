import type { SessionKeys } from '../../model/device.ts';
import { GatewayError } from '../../runtime/errors.ts';
import type { Row, SqlValue } from '../database.ts';
import type { DeviceKeys } from '../store.ts';
import type { Vault } from './vault.ts';

/** Binds a sealed key to its device and column: copied into another row it does not open. */
const contextOf = (device: string, field: keyof DeviceKeys): string => `device/${field}/${device}`;

/** In the order of the columns `app_key`, `nwk_s_key`, `app_s_key`; null for a key that is not given. */
export const sealKeys = (vault: Vault, device: string, keys: DeviceKeys): readonly SqlValue[] =>
  (['appKey', 'nwkSKey', 'appSKey'] as const).map((field) =>
    keys[field] === '' ? null : vault.seal(keys[field], contextOf(device, field)),
  );

export const openDeviceKeys = (vault: Vault, device: string, row: Row): DeviceKeys => ({
  appKey: openKey(vault, device, 'appKey', row['app_key']),
  ...openSessionKeys(vault, device, row),
});

export const openSessionKeys = (vault: Vault, device: string, row: Row): SessionKeys => ({
  nwkSKey: openKey(vault, device, 'nwkSKey', row['nwk_s_key']),
  appSKey: openKey(vault, device, 'appSKey', row['app_s_key']),
});

function openKey(vault: Vault, device: string, field: keyof DeviceKeys, sealed: SqlValue | undefined): string {
  if (sealed === null || sealed === undefined) return '';
  if (sealed instanceof Uint8Array) return vault.open(sealed, contextOf(device, field));
  throw new GatewayError('SECRET_UNREADABLE', 'a stored key is not sealed', { context: { device, field } });
}
