import type { Page } from 'playwright-core';
import { until } from '../e2e/running-gateway.ts';
import { formToRest } from './editor-page.ts';

interface EditorNode {
  readonly id: string;
  readonly type: string;
  readonly valid?: boolean;
}
interface Red {
  readonly nodes: {
    node(id: string): EditorNode | null;
    eachNode(visit: (node: EditorNode) => void): void;
    eachConfig(visit: (node: EditorNode) => void): void;
  };
  readonly editor: { edit(node: unknown): void; editConfig(name: string, type: string, id: string): void };
  readonly view: { importNodes(nodes: readonly object[], options: object): void };
  readonly workspaces: { active(): string };
}
type WithRed = { readonly RED: Red };

/** Texts under the nodes, in the order in which they are drawn. */
export const statusTexts = (page: Page): Promise<string[]> =>
  page.locator('.red-ui-flow-node-status-label').allTextContents();

/** Nodes that the editor marks as wrong. */
export const invalidNodes = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const { RED } = globalThis as unknown as WithRed;
    const wrong: string[] = [];
    const visit = (node: EditorNode): void => void (node.valid === false && wrong.push(`${node.type} ${node.id}`));
    RED.nodes.eachNode(visit);
    RED.nodes.eachConfig(visit);
    return wrong;
  });

/** Opens the form of a node, lets `work` at it and closes it with its button. */
export async function inForm(
  page: Page,
  id: string,
  work: () => Promise<void>,
  button: 'ok' | 'cancel' = 'ok',
): Promise<void> {
  const dialog = await page.evaluate((wanted) => {
    const { RED } = globalThis as unknown as WithRed;
    const node = RED.nodes.node(wanted);
    const isConfig = document.getElementById(wanted) === null;
    if (isConfig) RED.editor.editConfig('', node?.type ?? '', wanted);
    else RED.editor.edit(node);
    return isConfig ? 'node-config-dialog' : 'node-dialog';
  }, id);
  const close = `#${dialog}-${button}`;
  await page.waitForSelector(close);
  await page.waitForSelector('.red-ui-tray-body .cigale-row');
  await formToRest(page);
  await work();
  await page.click(close);
  await page.waitForSelector(close, { state: 'detached' });
}

/** What a form shows, by label. */
export const formValues = (page: Page): Promise<Record<string, (string | boolean)[]>> =>
  page.evaluate(() => {
    const rows = [...document.querySelectorAll('.red-ui-tray:last-child .cigale-row')];
    const valueOf = (field: HTMLInputElement | HTMLSelectElement): string | boolean => {
      if (field instanceof HTMLSelectElement) return field.selectedOptions[0]?.text ?? '';
      return field.type === 'checkbox' ? field.checked : field.value;
    };
    return Object.fromEntries(
      rows.map((row) => {
        const fields = [...row.querySelectorAll<HTMLInputElement | HTMLSelectElement>('input, select')];
        const label = row.querySelector('label')?.textContent.trim() ?? '';
        return [label, fields.filter((field) => field.offsetParent !== null).map(valueOf)];
      }),
    );
  });

export const paste = (page: Page, nodes: readonly object[]): Promise<void> =>
  page.evaluate((list) => {
    const { RED } = globalThis as unknown as WithRed;
    const placed = list.map((node) => ({ ...node, z: RED.workspaces.active() }));
    RED.view.importNodes(placed, { generateIds: false, addFlow: false, touchImport: true });
  }, nodes);

async function middle(page: Page, selector: string): Promise<readonly [number, number]> {
  const box = await page.locator(selector).first().boundingBox();
  if (box === null) throw new Error(`${selector} is not there`);
  return [box.x + box.width / 2, box.y + box.height / 2];
}

/** Draws a wire with the mouse. */
export async function drawWire(page: Page, from: string, to: string): Promise<void> {
  const [startX, startY] = await middle(page, `[id="${from}"] .red-ui-flow-port-output`);
  const [endX, endY] = await middle(page, `[id="${to}"] .red-ui-flow-port-input`);
  await page.mouse.move(startX, startY);
  await page.mouse.down();
  await page.mouse.move(startX + 20, startY - 5, { steps: 3 });
  await page.mouse.move(endX, endY, { steps: 8 });
  await page.mouse.up();
}

/** Presses Deploy and waits until it is over. */
export async function pressDeploy(page: Page, isOver: () => boolean | Promise<boolean>): Promise<void> {
  await page.click('#red-ui-header-button-deploy');
  const confirm = page.locator('#red-ui-notifications button.primary:has-text("Confirmer")');
  let isConfirmed = false;
  await until('the deploy is over', async () => {
    // Once: the question stays visible while it slides away.
    if (!isConfirmed && (await confirm.isVisible())) {
      await confirm.click();
      isConfirmed = true;
    }
    return isOver();
  });
}
