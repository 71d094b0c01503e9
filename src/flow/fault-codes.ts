/** Every reason why a flow is refused: stable, with its meaning. `docs/nodes.md` lists them; a test holds both together. */
export const FAULT_CODES = {
  FLOW_NOT_JSON: 'the text is not JSON; line and column are named',
  FLOW_NOT_A_LIST: 'the JSON is not a list of nodes',
  FLOW_TOO_LARGE: 'more text, nodes or wires than a gateway takes',
  NODE_WITHOUT_ID: 'an element of the list is not an object with an id',
  NODE_WITHOUT_TYPE: 'a node has no type',
  NODE_ID_DUPLICATE: 'two nodes have one id',
  WIRES_INVALID: 'the wires of a Cigale node are not lists of ids',
  SUBFLOW_MISSING: 'an instance of a subflow that the flow does not hold',
  SUBFLOW_RECURSION: 'a subflow contains itself',
  SUBFLOW_TOO_DEEP: 'subflows nested too deep',
  CONFIG_IN_SUBFLOW: 'a Cigale config node inside a subflow',
  ENV_UNSET: 'a property names an environment variable that has no value',
  ENV_UNSUPPORTED:
    'an environment variable holds a credential, JSONata or another kind that only Node-RED can evaluate',
  UNKNOWN_NODE_TYPE: 'a cigale-* type that does not exist',
  NOT_IN_THIS_VERSION: 'a node, property or value that this version does not do yet',
  VERSION_TOO_NEW: 'the node was saved by a newer Cigale',
  CREDENTIALS_IN_FLOW: 'a user name or password stands in the flow',
  PROPERTY_MISSING: 'a required property is empty',
  PROPERTY_INVALID: 'a property has a value of the wrong kind or out of range',
  QUANTITY_UNKNOWN: 'a quantity outside the catalogue',
  UNIT_NOT_CONVERTIBLE: "a unit that is unknown or does not convert to the quantity's own",
  PATTERN_INVALID: 'a regular expression that does not compile, or lacks the group a channel names',
  CHANNEL_DUPLICATE: 'two channels of one source give the same series',
  SILENT_LOSS_NOT_ACCEPTED: 'MQTT 3.1.1 without acceptSilentLoss',
  GATEWAY_MISSING: 'the flow has no cigale-gateway',
  GATEWAY_RENAMED: 'the id differs from the one under which batches are numbered on this data directory',
  GATEWAY_DUPLICATE: 'the flow has more than one cigale-gateway',
  REFERENCE_MISSING: 'a config node that is referred to does not exist or is disabled',
  REFERENCE_WRONG_TYPE: 'the node referred to is of another type',
  STREAM_DUPLICATE: 'two cigale-send nodes with one stream id',
  PORT_DUPLICATE: 'two cigale-port nodes with one path',
  BIND_DUPLICATE: 'two cigale-concentrator nodes with one address and port',
  AGGREGATE_DUPLICATE: 'two rules would produce the same aggregates',
  RULE_AFTER_RULE: 'a rule is wired to a rule',
  REJECTED_TO_CIGALE: 'rejected frames are wired to a Cigale node',
  NO_INPUT: 'a wire ends at a Cigale node that has no input',
  LINK_CALL: 'Cigale data reaches a link call or a returning link',
  TOO_MANY_FAULTS: 'more faults than are listed',
} as const;

export type FaultCode = keyof typeof FAULT_CODES;

/** What does not stop a flow, but that its author should know. */
export const NOTICE_CODES = {
  UNKNOWN_PROPERTY: 'a property that this version does not know; it has no effect',
  STREAM_UNFED: 'nothing is wired into a cigale-send',
  RULE_UNFED: 'no source is wired into a rule',
  SOURCE_UNUSED: 'a source is wired to nothing',
  CONFIG_UNUSED: 'no node refers to a config node',
  CROSSES_FOREIGN: 'data goes through nodes that run in the editor only',
  WIRE_DANGLING: 'a wire ends at a node that does not exist',
  OUTPUT_UNKNOWN: 'a wire leaves an output that the node does not have',
  EVENTS_EMPTY: 'the events output is wired, but carries nothing in this version',
  NO_QUANTITY_FOR_RULE: 'a source gives no quantity that the rule computes',
  AGGREGATE_MAY_CLASH: 'two rules would produce the same aggregates if their sources share a place',
  TLS_FILES_UNUSED: 'certificate files on a connection without TLS',
  TOO_MANY_NOTICES: 'more notices than are listed',
} as const;

export type NoticeCode = keyof typeof NOTICE_CODES;
