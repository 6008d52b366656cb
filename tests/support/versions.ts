/**
 * The protocol versions of a Serf agent, as programs and as messages show them.
 *
 * @module
 */

/** Of a member that programs get. */
export const VERSIONS = {
  protocolMin: 1,
  protocolMax: 5,
  protocolCur: 2,
  delegateMin: 2,
  delegateMax: 5,
  delegateCur: 5,
} as const;

/** Of a member in a message. */
export const WIRE_VERSIONS = {
  ProtocolMin: 1,
  ProtocolMax: 5,
  ProtocolCur: 2,
  DelegateMin: 2,
  DelegateMax: 5,
  DelegateCur: 5,
} as const;
