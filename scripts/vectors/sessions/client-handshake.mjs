// Handshakes, ends and control messages, as a client sees them (spec 2.2, 2.4, 4).
import { controlItem } from "../message-writer.mjs";
import { first, said } from "./client-steps.mjs";
import {
  bytes,
  client,
  datagram,
  ended,
  fromBoth,
  fromClient,
  fromServer,
  lives,
  message,
  says,
  wait,
  welcome,
} from "./session-steps.mjs";

export const clientHandshake = [
  client("hello-first", ["sluice/2.2/2"], [first]),
  client("welcome", [], [first, said, lives(20)]),
  client(
    "welcome-with-another-version",
    ["sluice/2.2/7"],
    [first, says(10, message("welcome", { version: 2 }), ended("unsupportedVersion"))],
  ),
  client(
    "welcome-without-version",
    ["sluice/2.2/7"],
    [first, says(10, message("welcome"), ended("unsupportedVersion"))],
  ),
  client("second-welcome", ["sluice/2.2/5"], [first, said, says(20, welcome, ended("protocolViolation"))]),
  client("no-welcome", ["sluice/2.2/4"], [first, wait(4900), wait(5100, ended("handshakeTimeout"))]),
  ...[...fromServer.slice(1), ...fromBoth].map((early) =>
    client(
      `${early.kind}-before-welcome`,
      ["sluice/2.2/5"],
      [first, says(10, early, ended("protocolViolation"))],
    ),
  ),
  client(
    "error-before-welcome",
    ["sluice/2.2/5"],
    [first, says(10, message("error", { code: 4 }), ended("unauthorized"))],
  ),
  client(
    "datagram-before-welcome",
    ["sluice/2.2/6"],
    [
      first,
      datagram(10, controlItem(message("ping", { id: 5 })), { silent: ["pong"] }),
      says(20, welcome),
      lives(30),
    ],
  ),
  ...fromClient.map((wrong) =>
    client(
      `${wrong.kind}-from-a-server`,
      ["sluice/4.1/3"],
      [first, said, says(20, wrong, ended("protocolViolation"))],
    ),
  ),
  client(
    "message-over-the-limit",
    ["sluice/4.1/1", "sluice/9/1"],
    [first, said, bytes(20, "81 80 04", ended("protocolViolation"))],
  ),
  client(
    "message-of-no-known-kind",
    ["sluice/4.1/2"],
    [first, said, bytes(20, "05 fa 01 02 08 01 00"), lives(30)],
  ),
  client("silence", ["sluice/5.7/2"], [first, said, wait(27_900), wait(28_200, ended("peerSilent"))]),
  client(
    "ping",
    ["sluice/5.7/1"],
    [
      first,
      said,
      datagram(20, controlItem(message("ping", { id: 6 })), { says: [message("pong", { id: 6 })] }),
      lives(30),
    ],
  ),
  client(
    "pong-that-nobody-waits-for",
    [],
    [first, said, says(20, message("pong", { id: 999999 })), lives(30)],
  ),
];
