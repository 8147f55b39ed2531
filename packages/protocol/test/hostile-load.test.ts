import { defaultLimits, ErrorCode, type ServerSession } from "@sluice/protocol";
import t from "tap";
import { createControlDecoder } from "#src/control-message.js";
import { decodeDatagram } from "#src/datagram.js";
import {
  firstUnheardMs,
  forgivenFramesPerSecond,
  maxExcessFrames,
  maxFramesInReassembly,
  maxReassemblyBytes,
  maxUnheardMs,
  newcomerExcessFrames,
  patientExcessFrames,
  probationMs,
  relapseExcessFrames,
} from "#src/limits.js";
import { encodeTensor } from "#src/tensor-framing.js";
import { createOpenVictim, createVictim, done, hello } from "./victim.js";

t.test("frames beyond the limit in flight are shed and answered", async (t) => {
  const victim = createOpenVictim({ maxFramesInFlight: 3 });
  for (let frame = 0; frame < 10; frame++) victim.send({ frame, count: 1 });
  t.equal(victim.frames().length, 3);
  t.equal(
    victim.events.filter((event) => event.type === "shed" && event.code === ErrorCode.rateLimited).length,
    7,
  );
  t.equal(victim.server.figures.framesInFlight, 3);
  for (const frame of victim.frames()) victim.server.answer(frame, done, 1);
  t.equal(victim.server.figures.framesInFlight, 0);
  victim.send({ frame: 10, count: 1 });
  t.equal(victim.frames().length, 4);
});

t.test("a client that stops in the middle of a tensor leaves nothing behind", async (t) => {
  const datagrams = createOpenVictim();
  datagrams.send({ index: 0 }, new Uint8Array(1_000), 10);
  t.ok(datagrams.server.figures.bytesInReassembly >= 1_000);
  // Only when it asks to be woken.
  for (let nowMs = 10; nowMs < 110; nowMs++)
    if (datagrams.server.nextTimeoutMs() <= nowMs) datagrams.wait(nowMs);
  t.match(datagrams.frames(), [{ unitsReceived: 1_280 }]);
  t.match(datagrams.server.figures, { bytesInReassembly: 0, framesInReassembly: 0, framesInFlight: 1 });

  for (const mode of ["stream", "reliable"] as const) {
    const streams = createOpenVictim({}, { mode });
    const slices = [0, 1, 2, 3].map((index) => ({ index, count: 4, payload: new Uint8Array(1_000) }));
    streams.stream(1, encodeTensor(1, 0, slices, 0).slice(0, 2_500));
    t.ok(streams.server.figures.bytesInReassembly >= 2_000);
    streams.stream(1, undefined, 5);
    t.match(streams.frames(), [{ unitsReceived: 2_560 }], `${mode}: what came before the end is used`);
    t.match(streams.server.figures, { bytesInReassembly: 0, framesInReassembly: 0 });
  }
});

t.test("a session that ends holds nothing any more", async (t) => {
  const victim = createOpenVictim();
  for (let frame = 0; frame < 5; frame++) victim.send({ frame }, new Uint8Array(1_000));
  victim.server.handleClosed(0, "gone");
  t.match(victim.server.figures, { bytesInReassembly: 0, framesInReassembly: 0, resultsWaiting: 0 });
});

t.test("a flood of first slices holds a bounded number of frames and bytes", async (t) => {
  const victim = createOpenVictim({ maxFramesInFlight: 0 });
  const payload = new Uint8Array(1_000);
  let mostFrames = 0;
  let mostBytes = 0;
  const startMs = performance.now();
  for (let frame = 0; frame < 50_000; frame++) {
    victim.send({ frame, count: 1_000 }, payload, frame / 1_000);
    const { framesInReassembly, bytesInReassembly } = victim.server.figures;
    mostFrames = Math.max(mostFrames, framesInReassembly);
    mostBytes = Math.max(mostBytes, bytesInReassembly);
    // A real driver hands frames on; a record of all of them would be the test's own flood.
    victim.events.length = 0;
    while (victim.server.pollDatagram(frame / 1_000));
  }
  t.equal(victim.server.state, "open");
  t.ok(mostFrames > 1 && mostFrames <= maxFramesInReassembly, `${mostFrames} frames`);
  t.ok(mostBytes <= 64 * 1_300, `${mostBytes} bytes`);
  t.comment(`${performance.now() - startMs} ms`);
});

t.test(
  "a client that takes no notice of its limits is closed, one that errs for a moment is not",
  async (t) => {
    const flood = createOpenVictim();
    let frame = 0;
    for (; frame < 10_000 && flood.server.state === "open"; frame++)
      flood.send({ frame, count: 1 }, undefined, 1);
    t.equal(frame, defaultLimits.maxFramesInFlight + maxExcessFrames + 1);
    t.equal(flood.server.figures.framesInFlight, defaultLimits.maxFramesInFlight);
    t.match(flood.closed, { code: ErrorCode.limitExceeded });
    t.match(
      flood.server.figures,
      { framesBegun: frame, framesAbandoned: 1 },
      "the last one is accounted for, too",
    );

    const hasty = createOpenVictim({ framesPerSecond: 30 });
    const seconds = 20;
    for (let i = 0; i < 90 * seconds; i++) {
      hasty.send({ frame: i, count: 1 }, undefined, (i * 1_000) / 90);
      for (const each of hasty.frames()) hasty.server.answer(each, done, (i * 1_000) / 90);
      hasty.events.length = 0;
    }
    t.equal(hasty.server.state, "open", "60 frames a second in excess are forgiven");
  },
);

t.test(
  "who sends in excess on and on need hardly be heard, for longer each time that it goes on",
  async (t) => {
    const victim = createOpenVictim({ maxFramesInFlight: 1 });
    let frame = 0;
    const unheard = (nowMs: number) => {
      victim.events.length = 0;
      victim.send({ frame: frame++, count: 1 }, undefined, nowMs);
      const [event] = victim.events;
      return event?.type === "shed" ? event.unheardMs : undefined;
    };
    t.equal(unheard(1), undefined, "the first is worked on");
    for (let i = 0; i < patientExcessFrames - 1; i++)
      t.equal(unheard(1), 0, `the one in excess number ${i + 1} is forgiven without more`);
    t.equal(unheard(1), firstUnheardMs, "one too many");
    t.equal(unheard(1), firstUnheardMs, "what is on its way meanwhile adds nothing");
    t.equal(unheard(101), firstUnheardMs - 100, "nor does what is heard of it later");
    // Until all of it is forgiven.
    const pauseMs = (patientExcessFrames * 1_000) / forgivenFramesPerSecond;
    let nowMs = 1 + firstUnheardMs + pauseMs;
    for (let lapse = 1; lapse < 6; lapse++) {
      for (let i = 0; i < relapseExcessFrames - 1; i++)
        t.equal(unheard(nowMs), 0, "it may do without a pause");
      const expectedMs = Math.min(maxUnheardMs, 2 ** lapse * firstUnheardMs);
      t.equal(unheard(nowMs), expectedMs, `lapse ${lapse} costs it twice as much, up to the most`);
      nowMs += expectedMs + pauseMs;
    }
    nowMs += probationMs;
    for (let i = 0; i < patientExcessFrames - 1; i++)
      t.equal(unheard(nowMs), 0, "after its probation it is trusted as in the beginning");
    t.equal(unheard(nowMs), firstUnheardMs);
    t.equal(victim.server.state, "open");
  },
);

/** Frames in excess that are answered when all come at once, before the client should hardly be heard. */
function countForgiven(victim: ReturnType<typeof createOpenVictim>, atMs: number): number {
  let forgiven = 0;
  for (let frame = 0; ; frame++) {
    victim.events.length = 0;
    victim.send({ frame, count: 1 }, undefined, atMs);
    const [event] = victim.events;
    if (event?.type !== "shed") continue;
    if (event.unheardMs > 0) return forgiven;
    forgiven++;
  }
}

t.test("patience is for what a second of the highest announced rate may bring at once", async (t) => {
  for (const [limits, patience] of [
    [[60], 60],
    [[0], patientExcessFrames],
    [[1_000], patientExcessFrames],
    [[5], relapseExcessFrames],
    // It may not have heard of the lower rate.
    [[60, 5], 60],
    [[5, 60], 60],
    [[60, 0, 5], patientExcessFrames],
  ] as const) {
    const victim = createOpenVictim({ framesPerSecond: limits[0], maxFramesInFlight: 1 });
    for (const framesPerSecond of limits)
      victim.server.setLimits({ ...defaultLimits, framesPerSecond, maxFramesInFlight: 1 });
    t.equal(countForgiven(victim, 5_000), patience - 1, `${limits.join(", then ")} frames a second`);
  }
});

t.test(
  "a session that has just begun is forgiven what its rate has let it send so far, and a little",
  async (t) => {
    for (const [atMs, patience] of [
      [0, newcomerExcessFrames],
      [100, newcomerExcessFrames + 6],
      [500, newcomerExcessFrames + 30],
      [900, 60],
    ] as const) {
      const victim = createOpenVictim({ framesPerSecond: 60, maxFramesInFlight: 1 });
      t.equal(countForgiven(victim, atMs), patience - 1, `after ${atMs} ms`);
    }
    const free = createOpenVictim({ framesPerSecond: 0, maxFramesInFlight: 1 });
    t.equal(countForgiven(free, 0), patientExcessFrames - 1, "without a rate nothing is known of it");
  },
);

t.test("what the network holds up from the beginning on is answered, however long it does", async (t) => {
  for (const heldMs of [20, 100, 400, 1_000]) {
    const victim = createOpenVictim({ framesPerSecond: 60, maxFramesInFlight: 1 });
    let unheardMs = 0;
    for (let frame = 0; frame < (heldMs * 60) / 1_000; frame++) {
      victim.events.length = 0;
      victim.send({ frame, count: 1 }, undefined, heldMs);
      for (const event of victim.events) if (event.type === "shed") unheardMs += event.unheardMs;
    }
    t.equal(unheardMs, 0, `${heldMs} ms`);
  }
});

t.test("a client that is hardly heard meanwhile is never closed, however much it sends", async (t) => {
  const victim = createOpenVictim({ framesPerSecond: 60 });
  let unheardUntilMs = 0;
  let passesAtMs = 0;
  let heard = 0;
  let worked = 0;
  const [perSecond, seconds, passEveryMs] = [600, 60, 250];
  for (let frame = 0; frame < perSecond * seconds; frame++) {
    const nowMs = (frame * 1_000) / perSecond;
    if (nowMs < unheardUntilMs && nowMs < passesAtMs) continue;
    passesAtMs = nowMs + passEveryMs;
    heard++;
    victim.events.length = 0;
    victim.send({ frame, count: 1 }, undefined, nowMs);
    for (const each of victim.frames()) victim.server.answer(each, done, nowMs);
    worked += victim.frames().length;
    for (const event of victim.events) if (event.type === "shed") unheardUntilMs = nowMs + event.unheardMs;
  }
  t.equal(victim.server.state, "open");
  // Pauses of 2, 4, 8, 16, 16 and 16 s; while it is heard, a little of its excess is forgiven.
  const mostRefused = 1.2 * (patientExcessFrames + 6 * relapseExcessFrames);
  t.ok(heard - worked <= mostRefused, `${heard} of ${perSecond * seconds} frames heard, ${worked} worked on`);
  t.ok(worked < (60 * seconds) / 8, `${worked} worked on: far less than of one that keeps to its limits`);
});

t.test("a flood is answered frame by frame, in datagrams that hold many answers", async (t) => {
  const victim = createOpenVictim({ framesPerSecond: 60 });
  const codes = new Map<number, number>();
  let datagrams = 0;
  let worked = 0;
  const drain = (nowMs: number) => {
    for (let bytes = victim.server.pollDatagram(nowMs); bytes; bytes = victim.server.pollDatagram(nowMs)) {
      datagrams++;
      for (const message of decodeDatagram(bytes.slice()).controls)
        if (message.kind === "result") codes.set(message.body.frame, message.body.code);
    }
  };
  const [frames, perMs] = [120, 0.6];
  for (let frame = 0, nowMs = 0; nowMs < 260; nowMs++) {
    for (; frame < Math.min(frames, nowMs * perMs); frame++)
      victim.send({ frame, count: 1 }, undefined, nowMs);
    for (const each of victim.frames()) victim.server.answer(each, done, nowMs);
    worked += victim.frames().length;
    victim.events.length = 0;
    if (victim.server.nextTimeoutMs() <= nowMs) victim.wait(nowMs);
    drain(nowMs);
  }
  t.equal(codes.size, frames, "each is answered");
  t.equal([...codes.values()].filter((code) => code === ErrorCode.rateLimited).length, frames - worked);
  // A report each 10 ms, of what is worked on a result and a repeat, until it is clear that nobody listens some more.
  t.ok(datagrams <= 26 + 4 * worked, `${datagrams} datagrams for ${frames} frames, ${worked} worked on`);
  t.ok(worked < 20);
});

t.test("what waits for the rest of its slice on streams is bounded over all of them", async (t) => {
  const victim = createOpenVictim({}, { mode: "reliable" });
  const payload = new Uint8Array(50 << 20);
  const bytes = encodeTensor(1, 0, [{ index: 0, count: 2, payload }], 0).subarray(0, -1);
  victim.stream(1, bytes);
  victim.stream(2, bytes);
  t.equal(victim.server.state, "open");
  victim.stream(3, bytes);
  t.match(victim.closed, { code: ErrorCode.limitExceeded, reason: new RegExp(`${maxReassemblyBytes}`) });
});

t.test("streams opened and refused, more than are allowed", async (t) => {
  const victim = createVictim({ maxStreams: 2 });
  victim.say(hello);
  for (let alias = 1; alias <= 5; alias++) victim.open({}, alias);
  const decode = createControlDecoder();
  const kinds: string[] = [];
  for (let bytes = victim.server.pollControl(); bytes; bytes = victim.server.pollControl()) {
    kinds.push(...decode(bytes).map((message) => message.kind));
  }
  t.same(kinds, ["welcome", "accept", "accept", "reject", "reject", "reject"]);
  t.equal(victim.server.state, "open");
  victim.say({ kind: "close", body: { stream: 1 } });
  victim.open({}, 6);
  t.equal(victim.events.filter(({ type }) => type === "stream-requested").length, 3);
});

t.test("a client that never reads the control stream ends its own session and nothing else", async (t) => {
  const answers = createVictim({ maxFramesInFlight: 0 }, 0);
  answers.say(hello);
  answers.open({ mode: "reliable" });
  for (let frame = 0; answers.server.state === "open" && frame < 50_000; frame++) {
    answers.stream(frame, encodeTensor(1, frame, [{ index: 0, count: 1, payload: new Uint8Array(9) }], 0));
    answers.stream(frame, undefined);
    const last = answers.frames().at(-1);
    if (last) answers.server.answer(last, done, 0);
    answers.events.splice(0, answers.events.length - 1);
  }
  t.equal(answers.server.state, "closed");
  t.match(answers.server.pollEvent(), { type: "closed", code: ErrorCode.overloaded });

  for (const act of [
    (server: ServerSession) => server.rejectStream(1, 1, "x".repeat(60_000)),
    (server: ServerSession) => server.drain(1, "x".repeat(60_000), 0, 0),
  ]) {
    const { server } = createOpenVictim();
    for (let i = 0; i < 100 && server.state === "open"; i++) act(server);
    t.equal(server.state, "closed");
  }
  const pings = createVictim({}, 0);
  pings.say(hello);
  for (let nowMs = 0; nowMs < 1e9 && pings.server.state === "open"; nowMs += 1_000) {
    pings.say({ kind: "pong", body: { id: 0 } }, nowMs);
    pings.wait(nowMs);
  }
  t.match(
    pings.closed,
    { code: ErrorCode.overloaded },
    "with nothing but the pings of a session without datagrams",
  );
});

t.test("an answer that is too large for any message fails its frame, once", async (t) => {
  const { server, frames, send } = createOpenVictim();
  send({ count: 1 });
  while (server.pollControl());
  server.answer(frames()[0]!, { ...done, payload: new Uint8Array(70_000) }, 0);
  t.equal(server.figures.framesInFlight, 0);
  t.equal(server.figures.resultsWaiting, 1);
  const { controls } = decodeDatagram(server.pollDatagram(0)!);
  const results = controls.filter(({ kind }) => kind === "result");
  t.match(results, [{ body: { frame: 0, outcome: 4, code: ErrorCode.limitExceeded } }]);
});

t.test("results reach the client when datagrams become too small for them, or vanish", async (t) => {
  for (const maxDatagramBytes of [0, 3, 30]) {
    const victim = createOpenVictim();
    for (let frame = 0; frame < 3; frame++) victim.send({ frame, count: 1 });
    for (const frame of victim.frames()) victim.server.answer(frame, done, 0);
    while (victim.server.pollControl());
    victim.server.setMaxDatagramBytes(maxDatagramBytes);
    while (victim.server.pollDatagram(0));
    let results = 0;
    const decode = createControlDecoder();
    for (let bytes = victim.server.pollControl(); bytes; bytes = victim.server.pollControl()) {
      results += decode(bytes).filter(({ kind }) => kind === "result").length;
    }
    t.equal(results, 3);
    t.equal(victim.server.figures.resultsWaiting, 0, "and no timer runs for them");
  }
});
