// What the steps of a session hold, and messages that many of them share.
import { hex } from "../hex-text.mjs";
import { controlStream, sliceItem } from "../message-writer.mjs";

export const wait = (at, expect = {}) => ({ at, expect });
export const says = (at, messages, expect = {}) => {
  const list = [messages].flat();
  return { at, input: { control: controlStream(...list) }, meaning: list, expect };
};
export const bytes = (at, text, expect = {}) => ({ at, input: { control: hex(text) }, expect });
export const datagram = (at, text, expect = {}) => ({ at, input: { datagram: text }, expect });
export const does = (at, action, expect = {}) => ({ at, input: action, expect });

export const message = (kind, body = {}) => ({ kind, body });
export const hello = message("hello", { versions: [1], agent: "vector" });
export const welcome = message("welcome", { version: 1, agent: "vector" });
export const openBody = {
  ...{ stream: 1, spec: { dtype: 3, shape: [6] }, codec: "raw", mode: 1, deadlineMs: 200, model: "sink" },
  concealment: "zero",
};
export const open = (fields = {}) => message("open", { ...openBody, ...fields });
export const accept = (stream = 1) => message("accept", { stream, concealment: "zero" });
export const slice = (fields, payload, sequence) =>
  sliceItem(
    { stream: 1, frame: 0, index: 0, count: 1, ...fields, ...(sequence === undefined ? {} : { sequence }) },
    payload,
  );
export const whole = (frame, sequence, stream = 1) => slice({ stream, frame }, "010203040506", sequence);
export const done = (frame, fields = {}) => message("result", { stream: 1, frame, outcome: 1, ...fields });
export const ack = (...frames) => message("resultAck", { stream: 1, frames });

/** Messages that only a client or only a server sends. */
export const fromClient = [hello, open(), message("close", { stream: 1 }), ack(0)];
export const fromServer = [
  welcome,
  accept(),
  message("reject", { stream: 1, code: 10 }),
  message("limits", { maxStreams: 1 }),
  message("feedback", { datagramsReceived: 1 }),
  done(0),
];
export const fromBoth = [
  message("ping", { id: 1 }),
  message("pong", { id: 1 }),
  message("drain", { code: 16 }),
];

export const server = (id, shows, steps, options = {}) => ({
  id: `server/${id}`,
  shows,
  role: "server",
  options,
  steps,
});
export const client = (id, shows, steps, options = {}) => ({
  id: `client/${id}`,
  shows,
  role: "client",
  options,
  steps,
});

export const isWelcome = { says: [message("welcome", { version: 1 })] };
export const welcomed = says(0, hello, isWelcome);
export const accepted = says(10, open(), { says: [accept()] });
export const ended = (code) => ({ closed: code });
/** The session goes on: it answers. */
export const lives = (at) => says(at, message("ping", { id: 77 }), { says: [message("pong", { id: 77 })] });
