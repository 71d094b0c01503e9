import type { z } from 'zod';
import { substitute, type EnvFailure } from './environment.ts';
import type { ExpandedFlow, ExpandedNode } from './expanded.ts';
import { docsOf, type FieldDoc } from './fields.ts';
import type { Findings } from './findings.ts';
import { fieldName, propertyFault } from './issue-text.ts';
import { migrate, type Migration, type Properties } from './migration.ts';
import { checkReference } from './references.ts';
import { reportEnvFailure, reportSecrets, reportUnknownProperties } from './property-findings.ts';

/** What travels on a wire. */
export type RecordKind = 'samples' | 'rejected' | 'aggregates' | 'events';

type Role = 'config' | 'source' | 'rule' | 'sink';

/** One type of node: everything the gateway knows of it. */
export interface NodeDefinition<Schema extends z.ZodObject, Settings> {
  readonly type: string;
  readonly role: Role;
  /** What its input takes; empty: it has no input. */
  readonly accepts: readonly RecordKind[];
  readonly outputs: readonly RecordKind[];
  readonly schema: Schema;
  /** Properties that hold the id of a config node, with its type. */
  readonly references?: Readonly<Record<string, string>>;
  /** Names of its credentials, which never stand in a flow. */
  readonly secrets?: readonly string[];
  /** `migrations[0]` leads from version 1 to 2; the current version is one more than their number. */
  readonly migrations?: readonly Migration[];
  settings(node: ExpandedNode, properties: z.output<Schema>): Settings;
}

interface ReadContext {
  readonly flow: ExpandedFlow;
  readonly findings: Findings;
}

/** A node type as the compiler uses it, whatever its settings. */
export interface NodeType<Settings = unknown> {
  readonly type: string;
  readonly role: Role;
  readonly accepts: readonly RecordKind[];
  readonly outputs: readonly RecordKind[];
  readonly version: number;
  readonly secrets: readonly string[];
  /** Documentation of each property beside `name` and `version`. */
  readonly properties: Readonly<Record<string, FieldDoc>>;
  /** The node's settings, or null where it has faults; all of them are reported. */
  read(node: ExpandedNode, context: ReadContext): Settings | null;
}

/** Replaces `${NAME}` in the known properties; names of those where that failed. */
function resolve(
  node: ExpandedNode,
  given: Properties,
  names: readonly string[],
  findings: Findings,
): { readonly values: Properties; readonly failed: ReadonlySet<string> } {
  const failed = new Set<string>();
  const values = names.map((name): [string, unknown] => {
    const failures: EnvFailure[] = [];
    const value = substitute(given[name], node.scope, failures);
    for (const failure of failures) reportEnvFailure(node, name, failure, findings);
    if (failures.length > 0) failed.add(name);
    return [name, value];
  });
  return { values: Object.fromEntries(values), failed };
}

export function defineNode<Schema extends z.ZodObject, Settings>(
  definition: NodeDefinition<Schema, Settings>,
): NodeType<Settings> {
  const { schema, migrations = [], references = {}, secrets = [] } = definition;
  const names = Object.keys(schema.shape);

  function read(node: ExpandedNode, { flow, findings }: ReadContext): Settings | null {
    reportSecrets(node, secrets, findings);
    const given = migrate(node, migrations, findings);
    if (given === null) return null;
    reportUnknownProperties(node, given, [...names, ...secrets], findings);
    const { values, failed } = resolve(node, given, names, findings);
    for (const [name, type] of Object.entries(references))
      if (!failed.has(name)) checkReference(node, name, values[name], type, flow, findings);
    const result = schema.safeParse(values, { reportInput: true });
    for (const issue of result.error?.issues ?? []) {
      if (failed.has(fieldName(issue.path.slice(0, 1)))) continue;
      const fault = propertyFault(issue);
      findings.fault(fault.code, node, fault.field, fault.message);
    }
    return result.success ? definition.settings(node, result.data) : null;
  }

  return {
    type: definition.type,
    role: definition.role,
    accepts: definition.accepts,
    outputs: definition.outputs,
    version: migrations.length + 1,
    secrets,
    properties: docsOf(schema),
    read,
  };
}
