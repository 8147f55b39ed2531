import { createRequire } from "node:module";
import { ConnectError } from "@sluice/transport";

/** The part of the native code of `@moq/web-transport` 0.1.4 (its `napi.d.cts`) that is used here. */
export interface QuinnModule {
  readonly NapiServer: { bind(address: string, certPem: Buffer, keyPem: Buffer): NativeServer };
  readonly NapiClient: {
    withSystemRoots(): NativeClient;
    disableVerify(): NativeClient;
    /** SHA-256 of the certificate. Its period of validity is not looked at. */
    withCertificateHashes(hashes: Buffer[]): NativeClient;
  };
}

export interface NativeServer {
  /** Handshakes go on only while this is pending. `null` after `close`. */
  accept(): Promise<NativeRequest | null>;
  /** Blocks the thread for ever while an `accept` is pending. */
  close(): void;
}

export interface NativeClient {
  connect(url: string, options: null): Promise<NativeSession>;
}

export interface NativeRequest {
  readonly url: Promise<string>;
  ok(): Promise<NativeSession>;
  reject(status: number): Promise<void>;
}

export interface NativeSession {
  acceptUni(): Promise<NativeReceiveStream>;
  acceptBi(): Promise<NativeBidirectionalStream>;
  openUni(): Promise<NativeSendStream>;
  openBi(): Promise<NativeBidirectionalStream>;
  /** Copies. Drops the oldest of those that wait where there is no room, and does not tell. */
  sendDatagram(data: Uint8Array): void;
  recvDatagram(): Promise<Buffer>;
  /** Aborts the process where the peer takes no datagrams. */
  maxDatagramSize(): number;
  close(code: number, reason: string): void;
  closed(): Promise<{ readonly closeCode: number; readonly reason: string }>;
}

export interface NativeBidirectionalStream {
  takeSend(): NativeSendStream;
  takeRecv(): NativeReceiveStream;
}

/** The calls of one stream run one after another. One that is collected as garbage ends as if it were finished. */
export interface NativeSendStream {
  write(data: Buffer): Promise<void>;
  finish(): Promise<void>;
  reset(code: number): Promise<void>;
}

export interface NativeReceiveStream {
  read(maxBytes: number): Promise<Buffer | null>;
  stop(code: number): Promise<void>;
}

/** What decides which binary fits. */
export interface Platform {
  readonly os: string;
  readonly cpu: string;
  /** `undefined` where the C library is another one. */
  readonly glibcVersion: () => string | undefined;
}

/** Loads a package by its name. */
export type RequirePackage = (name: string) => unknown;

/** The packages with a binary; the one that they belong to brings TypeScript, which Node does not load. */
const PACKAGES: Readonly<Record<string, string>> = {
  "linux-x64": "@moq/web-transport-linux-x64-gnu",
  "linux-arm64": "@moq/web-transport-linux-arm64-gnu",
  "darwin-x64": "@moq/web-transport-darwin-x64",
  "darwin-arm64": "@moq/web-transport-darwin-arm64",
  "win32-x64": "@moq/web-transport-win32-x64-msvc",
};
const VERSION = "0.1.4";

/** Loads the binary for this machine; throws a `ConnectError` of kind `engine` that says why it does not load. */
export function loadQuinnModule(
  load: RequirePackage = createRequire(import.meta.url),
  platform: Platform = { os: process.platform, cpu: process.arch, glibcVersion: readGlibcVersion },
): QuinnModule {
  const machine = `${platform.os}-${platform.cpu}`;
  const name = PACKAGES[machine];
  if (name === undefined) {
    throw new ConnectError("engine", `there is no binary of quinn for ${machine}, only for ${MACHINES}`);
  }
  let loaded: unknown;
  try {
    loaded = load(name);
  } catch (cause) {
    throw new ConnectError("engine", `${name} ${explain(cause, name, platform)}`, { cause });
  }
  if (!isQuinnModule(loaded)) throw new ConnectError("engine", `${name} is not of version ${VERSION}`);
  return loaded;
}

const MACHINES = Object.keys(PACKAGES).join(", ");

function explain(cause: unknown, name: string, { os, glibcVersion }: Platform): string {
  const message = cause instanceof Error ? (cause.message.split("\n", 1)[0] ?? "") : String(cause);
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  const found = os === "linux" ? (glibcVersion() ?? "none, but another C library") : undefined;
  if (code === "MODULE_NOT_FOUND") {
    const libc = found?.startsWith("none") === true ? ` and needs glibc, of which there is ${found}` : "";
    return `is not installed${libc}: npm install ${name}@${VERSION}`;
  }
  // The dynamic linker's words: version `GLIBC_2.38' not found.
  const wanted = /GLIBC_(\d+\.\d+)' not found/.exec(message)?.[1];
  if (wanted !== undefined && found !== undefined) {
    return `needs glibc ${wanted} (Debian 13, Ubuntu 24.04 or newer); the one here is ${found}`;
  }
  return `does not load: ${message}`;
}

function readGlibcVersion(): string | undefined {
  const report: unknown = process.report.getReport();
  const header: unknown = typeof report === "object" && report !== null && Reflect.get(report, "header");
  if (typeof header !== "object" || header === null) return undefined;
  const version: unknown = Reflect.get(header, "glibcVersionRuntime");
  return typeof version === "string" ? version : undefined;
}

function isQuinnModule(loaded: unknown): loaded is QuinnModule {
  return hasMethod(loaded, "NapiServer", "bind") && hasMethod(loaded, "NapiClient", "withCertificateHashes");
}

function hasMethod(module: unknown, name: string, method: string): boolean {
  if (typeof module !== "object" || module === null) return false;
  const found: unknown = Reflect.get(module, name);
  return typeof found === "function" && typeof Reflect.get(found, method) === "function";
}
