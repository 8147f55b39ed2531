/** What the page says in words: the connection, what carries it, what is wrong, and what is streamed. */
import type { ConnectionState } from "@sluice/client";
import type { BrowserTransport } from "@sluice/client/browser";
import type { ModelSummary } from "../model-summary.js";
import { element } from "./element.js";
import type { FromWorker } from "./messages.js";

export interface StatusLine {
  showModel(model: ModelSummary): void;
  showProblem(message: string): void;
  handle(
    message: Extract<
      FromWorker,
      { type: "connection" | "transport" | "engine" | "stream" | "switch" | "problem" }
    >,
  ): void;
}

const words: Readonly<Record<ConnectionState["status"], string>> = {
  connecting: "connecting",
  open: "connected",
  silent: "no answer, trying another connection beside this one",
  waiting: "no connection, trying again",
  closed: "closed",
};
const problemMs = 12_000;

export function createStatusLine(): StatusLine {
  const connection = element("connection", HTMLSpanElement);
  const transport = element("transport", HTMLSpanElement);
  const notice = element("notice", HTMLParagraphElement);
  const setup = element("setup", HTMLParagraphElement);
  const parts = { model: "", engine: "", stream: "", switched: "" };
  let fallback = "";
  let timer: ReturnType<typeof setTimeout> | undefined;

  function showSetup(): void {
    setup.textContent = Object.values(parts).filter(Boolean).join(" · ");
  }

  function showNotice(text: string): void {
    notice.textContent = text;
    notice.hidden = text === "";
  }

  function showProblem(message: string): void {
    showNotice(message);
    clearTimeout(timer);
    timer = setTimeout(() => showNotice(fallback), problemMs);
  }

  function showConnection(state: ConnectionState): void {
    connection.dataset.state = state.status;
    connection.textContent = words[state.status];
    connection.title = "cause" in state ? state.cause.reason : "";
    if (state.status !== "waiting" && state.status !== "closed") return;
    transport.hidden = true;
  }

  function showTransport(used: BrowserTransport): void {
    transport.hidden = false;
    transport.dataset.name = used.name;
    transport.textContent =
      used.name === "webtransport" ? "datagrams over HTTP/3" : "WebSocket: no datagrams";
    fallback =
      used.name === "webtransport" ? "" : `${used.reason}. Going on over a WebSocket. ${used.lost.join(" ")}`;
    clearTimeout(timer);
    showNotice(fallback);
  }

  return {
    showProblem,
    showModel({ name, labels }) {
      parts.model = `model ${name}${labels.length > 0 ? `, ${labels.length} classes` : ""}`;
      showSetup();
    },
    handle(message) {
      switch (message.type) {
        case "connection":
          showConnection(message.state);
          return;
        case "transport":
          showTransport(message.transport);
          return;
        case "problem":
          showProblem(message.message);
          return;
        case "engine":
          parts.engine = `first half by onnxruntime-web, ${message.provider}`;
          break;
        case "stream":
          parts.stream = message.codec === "" ? "" : `${message.codec}, mode ${message.mode}`;
          break;
        case "switch":
          parts.switched = `runs ${message.candidate}${message.reason === "" ? "" : `: ${message.reason}`}`;
          break;
        default:
          message satisfies never;
      }
      showSetup();
    },
  };
}
