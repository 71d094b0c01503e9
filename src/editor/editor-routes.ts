import { messageOf } from '../runtime/errors.ts';
import type { GatewayClient } from './gateway-client.ts';
import type { NodeRed } from './node-red-api.ts';
import { sendJson, type RefusalResponse } from './refusal-response.ts';

/** What the forms of the Cigale nodes ask their own server. */
export function addEditorRoutes(
  app: NodeRed['httpAdmin'],
  { client, refusals }: { client: GatewayClient; refusals: RefusalResponse },
): void {
  app.get('/cigale/refusal', refusals.show);
  app.get('/cigale/serial-ports', (_request, response) => {
    client
      .expect('/v1/serial-ports')
      .then((ports) => sendJson(response, ports))
      .catch((error: unknown) => {
        response.statusCode = 503;
        sendJson(response, { error: messageOf(error) });
      });
  });
}
