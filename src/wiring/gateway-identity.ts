import type { FlowFault } from '../model/fault.ts';
import type { Plan } from '../model/plan.ts';
import type { Store } from '../store/store.ts';

/**
 * Guards the gateway's id: batch numbers belong to (gateway, stream, epoch), so once a batch has a number the id cannot
 * change on this store without breaking the sequence for every receiver.
 */
export class GatewayIdentity {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** The fault of a plan whose gateway id is not the one that numbered batches carry, or null. */
  async faultOf({ gateway }: Plan): Promise<FlowFault | null> {
    const fixed = await this.#fixedId();
    if (fixed === undefined || fixed === gateway.gateway) return null;
    return {
      code: 'GATEWAY_RENAMED',
      node: gateway.nodeId,
      nodeName: '',
      nodeType: 'cigale-gateway',
      field: 'gateway',
      message: {
        en: `Batches were numbered under the id "${fixed}", so it cannot become "${gateway.gateway}" on this data directory: keep "${fixed}", or start the gateway on a new directory.`,
        fr: `Des lots ont été numérotés sous l'identifiant « ${fixed} », il ne peut pas devenir « ${gateway.gateway} » dans ce dossier de données : gardez « ${fixed} », ou démarrez la passerelle sur un nouveau dossier.`,
      },
    };
  }

  /** The plan under the id that numbered batches carry: measuring goes on whatever became of a variable in the id. */
  async underFixedId(plan: Plan): Promise<Plan> {
    const fixed = await this.#fixedId();
    return fixed === undefined ? plan : { ...plan, gateway: { ...plan.gateway, gateway: fixed } };
  }

  /** Notes the id under which batches will be numbered from now on. */
  async remember({ gateway }: Plan): Promise<void> {
    if ((await this.#store.gatewayId()) !== gateway.gateway) await this.#store.saveGatewayId(gateway.gateway);
  }

  async #fixedId(): Promise<string | undefined> {
    const streams = await this.#store.listStreams();
    return streams.some(({ lastSeq }) => lastSeq > 0) ? this.#store.gatewayId() : undefined;
  }
}
