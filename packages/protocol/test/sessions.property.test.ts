import {
  type ClientSession,
  createClientSession,
  createServerSession,
  defaultLimits,
  type ServerSession,
} from "@sluice/protocol";
import fc from "fast-check";
import t from "tap";
import { createControlDecoder, encodeDelimitedControl } from "#src/control-message.js";
import { decodeDatagram } from "#src/datagram.js";
import { heldSliceOverheadBytes, maxFramesInReassembly } from "#src/limits.js";
import { openStreamToWire } from "#src/tensor-stream.js";
import { type HostileStep, hostileStep, registryCodes } from "./hostile-input.js";
import { sliceBytes, streamOptions, unitsOf } from "./virtual-session.js";

const seed = 30;
const numRuns = 2_500;
const steps = fc.array(hostileStep, { minLength: 1, maxLength: 14 });
const limits = {
  ...defaultLimits,
  maxTensorElements: 1 << 16,
  maxTensorBytes: 1 << 16,
  maxFramesInFlight: 4,
};

/** Codes that error messages in these bytes carry: a session ends with the code that its peer gives. */
function namedCodes(input: readonly HostileStep[]): Set<number> {
  const bytes = Buffer.concat(input.flatMap((step) => (step.type === "control" ? [step.bytes] : [])));
  const codes = new Set<number>();
  const decode = createControlDecoder();
  try {
    for (const byte of bytes) {
      for (const message of decode(Uint8Array.of(byte)))
        if (message.kind === "error") codes.add(message.body.code);
    }
  } catch {
    // What stands behind the fault was never read.
  }
  return codes;
}

function openServer(accepted: boolean): ServerSession {
  const server = createServerSession({ agent: "test", limits }, 0);
  server.setMaxDatagramBytes(1_200);
  if (!accepted) return server;
  server.handleControl(encodeDelimitedControl({ kind: "hello", body: { versions: [1] } }), 0);
  server.handleControl(encodeDelimitedControl({ kind: "open", body: openStreamToWire(1, streamOptions) }), 0);
  runServer(server, 0);
  return server;
}

/** Does what a driver does; returns the code where the session has ended. */
function runServer(server: ServerSession, nowMs: number): number | undefined {
  let code: number | undefined;
  while (server.pollControl());
  for (let event = server.pollEvent(); event; event = server.pollEvent()) {
    if (event.type === "stream-requested") server.acceptStream(event.stream, unitsOf(event.options), "zero");
    if (event.type === "closed") code = event.code;
    if (event.type !== "frame") continue;
    const { frame } = event;
    const stages = { decode: 1, conceal: 0, queue: 0, inference: 1 };
    const answer = { elements: frame.units, concealedElements: 0, payload: new Uint8Array(20), stages };
    server.answer(frame, { outcome: "done", ...answer }, nowMs);
  }
  for (let datagram = server.pollDatagram(nowMs); datagram; datagram = server.pollDatagram(nowMs)) {
    decodeDatagram(datagram);
  }
  while (server.pollControl());
  return code;
}

t.test("a server's session ends open or closed with a code, whatever comes", async (t) => {
  t.comment(`seed ${seed}, ${numRuns} cases`);
  const ends = { open: 0, closed: 0 };
  let longestMs = 0;
  const property = fc.property(fc.boolean(), steps, (accepted, input) => {
    const startMs = performance.now();
    const server = openServer(accepted);
    let nowMs = 0;
    let fedBytes = 0;
    let code: number | undefined;
    for (const step of input) {
      if (step.type === "time") {
        nowMs += step.ms;
        server.handleTimeout(nowMs);
      } else if (step.type === "size") server.setMaxDatagramBytes(step.bytes);
      else if (step.type === "end") server.handleTensorStream(step.id, undefined, nowMs);
      else {
        fedBytes += step.bytes.length;
        if (step.type === "control") server.handleControl(step.bytes, nowMs);
        else if (step.type === "datagram") server.handleDatagram(step.bytes, nowMs);
        else server.handleTensorStream(step.id, step.bytes, nowMs);
      }
      const { bytesInReassembly, framesInReassembly } = server.figures;
      if (framesInReassembly > maxFramesInReassembly) return false;
      if (bytesInReassembly > fedBytes * (1 + heldSliceOverheadBytes)) return false;
      code ??= runServer(server, nowMs);
      if (server.figures.framesInFlight !== 0) return false;
    }
    if (server.state === "closed") {
      if (code === undefined || !(registryCodes.has(code) || namedCodes(input).has(code))) return false;
      // Closing twice changes nothing, and a closed session has nothing more to say and holds nothing.
      server.close(0, "");
      if (server.pollEvent() || server.pollControl() || server.figures.framesInReassembly > 0) return false;
      if (server.nextTimeoutMs() !== Number.POSITIVE_INFINITY) return false;
    }
    ends[server.state === "closed" ? "closed" : "open"]++;
    longestMs = Math.max(longestMs, performance.now() - startMs);
    return true;
  });
  fc.assert(property, { seed, numRuns });
  t.comment(JSON.stringify(ends));
  t.ok(ends.open > 50 && ends.closed > 50, "both ends are reached");
  t.comment(`the longest took ${longestMs} ms`);
});

function openClient(accepted: boolean): ClientSession {
  const client = createClientSession({ agent: "test" }, 0);
  client.setMaxDatagramBytes(1_200);
  if (!accepted) return client;
  client.handleControl(encodeDelimitedControl({ kind: "welcome", body: { version: 1, limits: {} } }), 0);
  client.openStream(streamOptions);
  client.handleControl(encodeDelimitedControl({ kind: "accept", body: { stream: 1 } }), 0);
  return client;
}

t.test("a client's session ends open or closed with a code, and every frame is accounted for", async (t) => {
  t.comment(`seed ${seed}, ${numRuns} cases`);
  const ends = { open: 0, closed: 0, delivered: 0 };
  let longestMs = 0;
  const property = fc.property(fc.boolean(), steps, (accepted, input) => {
    const startMs = performance.now();
    const client = openClient(accepted);
    let nowMs = 0;
    let code: number | undefined;
    for (const step of input) {
      const decision = client.offer(1, nowMs, nowMs);
      if (decision.admitted) {
        const slices = sliceBytes(new Uint8Array(100), Math.max(1, client.maxPayloadBytes(1)));
        client.submit(1, decision.frame, slices, undefined, nowMs);
      }
      if (step.type === "time") {
        nowMs += step.ms;
        client.handleTimeout(nowMs);
      } else if (step.type === "size") client.setMaxDatagramBytes(step.bytes);
      else if (step.type === "control") client.handleControl(step.bytes, nowMs);
      else if (step.type === "datagram") client.handleDatagram(step.bytes, nowMs);
      while (client.pollControl());
      for (let datagram = client.pollDatagram(nowMs); datagram; datagram = client.pollDatagram(nowMs)) {
        decodeDatagram(datagram);
      }
      for (let event = client.pollEvent(); event; event = client.pollEvent()) {
        if (event.type === "closed") code = event.code;
      }
      const { offered, dropped, expired, delivered, inFlight, unreceivedBytes } = client.figures;
      if (offered !== dropped + expired + delivered + inFlight || unreceivedBytes < 0) return false;
    }
    ends.delivered += client.figures.delivered;
    if (client.state === "closed") {
      if (code === undefined || !(registryCodes.has(code) || namedCodes(input).has(code))) return false;
      if (client.figures.inFlight !== 0) return false;
    }
    ends[client.state === "closed" ? "closed" : "open"]++;
    longestMs = Math.max(longestMs, performance.now() - startMs);
    return true;
  });
  fc.assert(property, { seed, numRuns });
  t.comment(JSON.stringify(ends));
  t.ok(ends.open > 50 && ends.closed > 50 && ends.delivered > 5, "all ends are reached");
  t.comment(`the longest took ${longestMs} ms`);
});
