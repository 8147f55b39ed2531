// Sessions: scripts of what comes from the peer, with virtual times, and what must follow (spec 2 to 5, 7, 8).
import { clientHandshake } from "./sessions/client-handshake.mjs";
import { clientResults } from "./sessions/client-results.mjs";
import { clientStreams } from "./sessions/client-streams.mjs";
import { largeResults } from "./sessions/large-results.mjs";
import { serverControl, serverHandshake } from "./sessions/server-handshake.mjs";
import { serverRecovery } from "./sessions/server-recovery.mjs";
import { serverSlices } from "./sessions/server-slices.mjs";
import { serverStreams } from "./sessions/server-streams.mjs";
import { tensorStreams } from "./sessions/server-tensor-streams.mjs";

export const about =
  "Scripts for one side of a session on virtual time. README.md says what a step holds and how it is judged.";

export const cases = [
  ...serverHandshake,
  ...serverControl,
  ...serverStreams,
  ...serverSlices,
  ...serverRecovery,
  ...tensorStreams,
  ...clientHandshake,
  ...clientStreams,
  ...clientResults,
  ...largeResults,
].map(({ id, shows, role, options, steps }) => ({
  ...{ id: `session/${id}`, shows, op: "session" },
  input: { role, options, steps: steps.map(({ at, input }) => ({ at, ...(input ? { input } : {}) })) },
  expect: steps.map(({ expect }) => expect),
  meaning: steps.map(({ meaning }) => meaning ?? null),
}));
