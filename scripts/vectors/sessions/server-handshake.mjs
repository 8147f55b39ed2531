// Handshakes, ends and control messages, as a server sees them (spec 2.2, 2.5, 4).
import { controlItem } from "../message-writer.mjs";
import {
  bytes,
  datagram,
  ended,
  fromBoth,
  fromClient,
  fromServer,
  hello,
  isWelcome,
  lives,
  message,
  says,
  server,
  wait,
  welcomed,
  whole,
} from "./session-steps.mjs";

export const serverHandshake = [
  server("hello", ["sluice/2.2/2"], [welcomed, lives(10)]),
  server(
    "hello-among-versions",
    ["sluice/2.2/3"],
    [says(0, message("hello", { versions: [9, 1] }), isWelcome)],
  ),
  server(
    "no-common-version",
    ["sluice/2.2/3"],
    [says(0, message("hello", { versions: [2] }), ended("unsupportedVersion"))],
  ),
  server(
    "no-version-at-all",
    ["sluice/2.2/3"],
    [says(0, message("hello", { agent: "x" }), ended("unsupportedVersion"))],
  ),
  server("token-missing", ["sluice/2.2/3"], [says(0, hello, ended("unauthorized"))], { token: "c0ffee" }),
  server(
    "token-wrong",
    ["sluice/2.2/3"],
    [says(0, message("hello", { versions: [1], token: "c0ffef" }), ended("unauthorized"))],
    { token: "c0ffee" },
  ),
  server(
    "token-right",
    ["sluice/2.2/3"],
    [says(0, message("hello", { versions: [1], token: "c0ffee" }), isWelcome)],
    { token: "c0ffee" },
  ),
  server("no-hello", ["sluice/2.2/4"], [wait(4900), wait(5100, ended("handshakeTimeout"))]),
  server("part-of-a-hello", ["sluice/2.2/4"], [bytes(0, "0c 0a 0a"), wait(5100, ended("handshakeTimeout"))]),
  ...[...fromClient.slice(1), ...fromServer, ...fromBoth].map((first) =>
    server(`${first.kind}-before-hello`, ["sluice/2.2/5"], [says(0, first, ended("protocolViolation"))]),
  ),
  server("second-hello", ["sluice/2.2/5"], [welcomed, says(10, hello, ended("protocolViolation"))]),
  server(
    "error-before-hello",
    ["sluice/2.2/5"],
    [says(0, message("error", { code: 5, reason: "no" }), ended("limitExceeded"))],
  ),
  server(
    "error",
    [],
    [welcomed, says(10, message("error", { code: 14, reason: "no" }), ended("overloaded"))],
  ),
  server(
    "datagrams-before-hello",
    ["sluice/2.2/6"],
    [
      datagram(0, controlItem(message("ping", { id: 5 })), { silent: ["pong"] }),
      datagram(1, whole(0, 0), { silent: ["result"] }),
      says(2, hello, isWelcome),
      lives(10),
    ],
  ),
  server(
    "hello-with-65-versions",
    ["sluice/4.2/1", "sluice/9/1"],
    [says(0, message("hello", { versions: Array(65).fill(1) }), ended("limitExceeded"))],
  ),
  server(
    "hello-with-64-versions",
    ["sluice/4.2/1"],
    [says(0, message("hello", { versions: Array(64).fill(1) }), isWelcome)],
  ),
  server(
    "hello-with-65-capabilities",
    ["sluice/4.2/1", "sluice/9/1"],
    [says(0, message("hello", { versions: [1], capabilities: Array(65).fill("x") }), ended("limitExceeded"))],
  ),
  server(
    "hello-with-a-long-token",
    ["sluice/4.2/1", "sluice/9/1"],
    [says(0, message("hello", { versions: [1], token: "00".repeat(4097) }), ended("limitExceeded"))],
  ),
  server(
    "unknown-capabilities",
    ["sluice/4.2/2"],
    [says(0, message("hello", { versions: [1], capabilities: ["x-nobody-knows"] }), isWelcome), lives(10)],
  ),
];

export const serverControl = [
  ...fromServer.map((wrong) =>
    server(
      `${wrong.kind}-from-a-client`,
      ["sluice/4.1/3"],
      [welcomed, says(10, wrong, ended("protocolViolation"))],
    ),
  ),
  server("drain-from-a-client", [], [welcomed, says(10, message("drain", { code: 16 })), lives(20)]),
  server(
    "message-over-the-limit",
    ["sluice/4.1/1", "sluice/9/1"],
    [welcomed, bytes(10, "81 80 04", ended("protocolViolation"))],
  ),
  server(
    "message-that-is-none",
    ["sluice/4.1/1"],
    [welcomed, bytes(10, "03 6a 05 08", ended("protocolViolation"))],
  ),
  server(
    "message-of-no-known-kind",
    ["sluice/4.1/2"],
    [welcomed, bytes(10, "05 fa 01 02 08 01 00"), lives(20)],
  ),
  server(
    "ping",
    ["sluice/5.7/1"],
    [
      welcomed,
      says(10, message("ping", { id: 4294967295 }), { says: [message("pong", { id: 4294967295 })] }),
      datagram(20, controlItem(message("ping", { id: 6 })), { says: [message("pong", { id: 6 })] }),
    ],
  ),
  // What comes and goes at once is not waited for as long as what has lasted.
  server(
    "silence-of-a-young-session",
    ["sluice/5.7/2", "sluice/5.7/3"],
    [welcomed, wait(4_900), wait(5_200, ended("peerSilent"))],
  ),
  server(
    "silence",
    ["sluice/5.7/2"],
    [
      welcomed,
      says(2_000, message("ping", { id: 1 }), { says: [message("pong", { id: 1 })] }),
      wait(29_900),
      wait(30_200, ended("peerSilent")),
    ],
  ),
  server("pong-that-nobody-waits-for", [], [welcomed, says(10, message("pong", { id: 999999 })), lives(20)]),
];
