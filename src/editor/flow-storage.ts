import type { Language } from '../model/text.ts';
import type { GatewayClient } from './gateway-client.ts';
import { DeployRefused } from './deploy-refused.ts';
import { fromTexts, toTexts, type Credentials, type CredentialTexts } from './credential-text.ts';

/**
 * The flows of Node-RED live in the gateway. Node-RED saves credentials and flows in two calls: the first is kept
 * here, the second sends both, and the gateway takes or refuses both. A version that somebody else deployed meanwhile is
 * never overwritten.
 */
export class FlowStorage {
  readonly #client: GatewayClient;
  readonly #language: Language;
  readonly #onRefused: (refusal: DeployRefused | null) => void;
  #version: number | undefined;
  #flow: readonly unknown[] | undefined;
  #staged: Credentials | undefined;
  #saving: Promise<unknown> = Promise.resolve();

  constructor(client: GatewayClient, language: Language, onRefused: (refusal: DeployRefused | null) => void) {
    this.#client = client;
    this.#language = language;
    this.#onRefused = onRefused;
  }

  /** Version that Node-RED has; undefined before it read any. */
  get version(): number | undefined {
    return this.#version;
  }

  /**
   * The gateway's flow. When the gateway cannot be reached, the flow read last: Node-RED would take an error for an
   * empty flow.
   */
  async getFlows(): Promise<readonly unknown[]> {
    try {
      const { version, flow } = (await this.#client.expect('/v1/flow')) as { version: number; flow: unknown[] };
      this.#version = version;
      this.#flow = flow;
      this.#staged = undefined;
    } catch (error) {
      if (this.#flow === undefined) throw error;
    }
    return this.#flow;
  }

  async getCredentials(): Promise<Credentials> {
    return fromTexts((await this.#client.expect('/v1/flow/credentials')) as CredentialTexts);
  }

  saveCredentials(credentials: Credentials): void {
    this.#staged = credentials;
  }

  saveFlows(flow: readonly unknown[], author: string): Promise<void> {
    const saving = this.#save(flow, author);
    this.#saving = saving;
    return saving;
  }

  /** Resolves when no deploy is on its way. */
  async settled(): Promise<void> {
    await Promise.allSettled([this.#saving]);
  }

  async #save(flow: readonly unknown[], author: string): Promise<void> {
    const credentials = this.#staged === undefined ? {} : { credentials: toTexts(this.#staged) };
    const answer = await this.#client.call('/v1/flow', {
      method: 'PUT',
      headers: { 'if-match': `"${this.#version ?? 0}"` },
      body: { flow, ...credentials, author },
    });
    if (!answer.ok) {
      const refusal = new DeployRefused({ status: answer.status, ...answer.problem }, this.#language);
      this.#onRefused(refusal);
      throw refusal;
    }
    this.#onRefused(null);
    this.#version = (answer.body as { version: number }).version;
    this.#flow = flow;
    this.#staged = undefined;
  }
}
