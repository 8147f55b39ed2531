/**
 * The error registry (spec/registry.md). Codes below 64 close a session, reject a tensor stream or reset a
 * stream; codes from 64 on say in a result why a frame has no answer, as some of the others may (spec 8).
 */
export const ErrorCode = {
  none: 0,
  internal: 1,
  protocolViolation: 2,
  unsupportedVersion: 3,
  unauthorized: 4,
  limitExceeded: 5,
  unknownStream: 6,
  malformedDatagram: 7,
  sliceOutOfRange: 8,
  tensorTooLarge: 9,
  unknownModel: 10,
  unknownSplit: 11,
  unknownCodec: 12,
  specMismatch: 13,
  overloaded: 14,
  handshakeTimeout: 15,
  shutdown: 16,
  deadline: 17,
  statisticsMismatch: 18,
  peerSilent: 19,
  unknownFec: 20,
  unknownInterleaving: 21,
  expiredInReassembly: 64,
  expiredInQueue: 65,
  rateLimited: 66,
  nothingDecodable: 67,
  modelFailed: 68,
  expiredInSending: 69,
} as const;

export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];

const names = new Map<number, string>(Object.entries(ErrorCode).map(([name, code]) => [code, name]));

/** The registry's name of a code, or `unknown (n)`. */
export function errorCodeName(code: number): string {
  return names.get(code) ?? `unknown (${code})`;
}

/** Codes that say that whoever is told so would be told so again: the registry's column "again" says no. */
const final: ReadonlySet<number> = new Set([
  ErrorCode.protocolViolation,
  ErrorCode.unsupportedVersion,
  ErrorCode.unauthorized,
  ErrorCode.limitExceeded,
  ErrorCode.unknownStream,
  ErrorCode.malformedDatagram,
  ErrorCode.sliceOutOfRange,
  ErrorCode.tensorTooLarge,
  ErrorCode.unknownModel,
  ErrorCode.unknownSplit,
  ErrorCode.unknownCodec,
  ErrorCode.specMismatch,
  ErrorCode.statisticsMismatch,
  ErrorCode.unknownFec,
  ErrorCode.unknownInterleaving,
]);

/** Whether a client whose session ended with this code, or whose stream was rejected with it, may try again (spec 2.7). */
export function mayTryAgain(code: number): boolean {
  return !final.has(code);
}

/** The peer broke a rule: the session ends with this code. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  constructor(
    readonly code: ErrorCode,
    message: string,
  ) {
    super(message);
  }
}

/** The code's name as a label of metrics and traces, which are in lower case with dashes. */
export function errorCodeLabel(code: number): string {
  return errorCodeName(code)
    .replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
    .replace(/[^a-z0-9-]/g, "");
}
