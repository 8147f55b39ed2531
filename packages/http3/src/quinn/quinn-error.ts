import { getSystemErrorName } from "node:util";
import { type CloseInfo, type ConnectError, StreamError } from "@sluice/transport";

// The binding hands over its errors as their texts (`rs/web-transport-quinn/src/error.rs`), nothing else.

/** The text of what the binding rejects with. */
export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Why a read or a write failed. */
export function toStreamError(cause: unknown): StreamError {
  const match = /^(RESET_STREAM|STOP_SENDING): (\d{1,10})$/.exec(textOf(cause));
  const error = match === null ? withoutCode(cause) : withCode(match[1] ?? "", Number(match[2]));
  error.cause = cause;
  return error;
}

function withCode(frame: string, code: number): StreamError {
  return new StreamError(frame === "RESET_STREAM" ? "reset" : "stopped", code);
}

/** A code outside the range of WebTransport's tells nothing (draft-ietf-webtrans-http3 4.4), but the stream is over. */
function withoutCode(cause: unknown): StreamError {
  const text = textOf(cause);
  if (text.startsWith("invalid RESET_STREAM")) return new StreamError("reset", 0);
  if (text.startsWith("invalid STOP_SENDING")) return new StreamError("stopped", 0);
  return new StreamError("closed", 0);
}

/** What the binding's own errors begin with, in place of a peer's reason. */
const TRANSPORT = /^(?:connection error|webtransport error|send datagram error): /;

/** How a session ended that was not closed here. */
export function toCloseInfo(closeCode: number, reason: string): CloseInfo {
  if (closeCode !== 0 || !TRANSPORT.test(reason)) return { code: closeCode, reason, by: "remote" };
  const what = reason.replace(TRANSPORT, "");
  // The same for a peer that ends the CONNECT stream without a capsule and for a connection that broke.
  return {
    code: 0,
    reason: what === "closed" ? "the session ended without a reason" : what,
    by: "transport",
  };
}

/** What a failed attempt to connect is about, and the HTTP status of a refusal. */
export function classifyConnectError(text: string): { kind: ConnectError["kind"]; status?: number } {
  const status = /(?:expected 200, got: Some\(|http error status: )(\d{3})/.exec(text)?.[1];
  if (status !== undefined) return { kind: "rejected", status: Number(status) };
  if (text.includes("invalid peer certificate")) return { kind: "certificate" };
  if (/timed out/.test(text)) return { kind: "timeout" };
  return { kind: "refused" };
}

/** The name of the system's error in a text of Rust's, as `EADDRINUSE`; `undefined` where there is none. */
export function systemErrorOf(text: string): string | undefined {
  const number = /\(os error (\d{1,3})\)/.exec(text)?.[1];
  return number === undefined || process.platform === "win32"
    ? undefined
    : getSystemErrorName(-Number(number));
}
