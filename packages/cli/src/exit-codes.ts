/** What the process ends with; scripts tell failures apart by it. */
export const ExitCode = {
  ok: 0,
  /** A fault of ours, or of the machine. */
  internal: 1,
  /** A wrong option, argument or command. */
  usage: 2,
  /** The peer refused, did not answer or cannot be reached; an address cannot be listened on. */
  unreachable: 3,
  /** The server's certificate is not the expected one. */
  certificate: 4,
  /** An unknown model, split or codec; a file that is missing or not what it must be. */
  notFound: 5,
  /** The server refused the session or the tensor stream. */
  rejected: 6,
  /** The session ended before the work was done. */
  sessionLost: 7,
  /** Ctrl-C (128 + SIGINT). */
  interrupted: 130,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];
