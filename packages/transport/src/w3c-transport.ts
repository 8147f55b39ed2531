/**
 * The parts of the W3C WebTransport API (https://www.w3.org/TR/webtransport/) that are used here, as structures: the
 * browser's own objects have them, and so do those of other libraries.
 */

export interface W3cReader<T> {
  read(): Promise<{ readonly done: boolean; readonly value?: T | undefined }>;
  cancel(reason?: unknown): Promise<unknown>;
}

export interface W3cReadable<T> {
  getReader(): W3cReader<T>;
}

export interface W3cWriter {
  write(chunk: Uint8Array<ArrayBuffer>): Promise<unknown>;
  close(): Promise<unknown>;
  abort(reason?: unknown): Promise<unknown>;
  readonly closed: Promise<unknown>;
}

export interface W3cWritable {
  getWriter(): W3cWriter;
}

export interface W3cBidirectionalStream {
  readonly readable: W3cReadable<Uint8Array>;
  readonly writable: W3cWritable;
}

/** `createWritable` is the newer way, `writable` the older one; one of them must be there. */
export interface W3cDatagrams {
  readonly readable: W3cReadable<Uint8Array>;
  readonly writable?: W3cWritable;
  createWritable?(): W3cWritable;
  readonly maxDatagramSize: number;
}

export interface W3cCloseInfo {
  readonly closeCode?: number;
  readonly reason?: string;
}

/** Milliseconds, bytes, and bits per second; what is missing or null is not known. */
export interface W3cStats {
  readonly smoothedRtt?: number | null;
  readonly estimatedSendRate?: number | null;
  readonly packetsSent?: number | null;
  readonly packetsLost?: number | null;
  readonly bytesSent?: number | null;
  readonly bytesReceived?: number | null;
  readonly datagrams?: {
    readonly droppedIncoming?: number | null;
    readonly expiredOutgoing?: number | null;
  };
}

export interface W3cWebTransport {
  readonly ready: Promise<unknown>;
  readonly closed: Promise<W3cCloseInfo | undefined>;
  readonly datagrams: W3cDatagrams;
  readonly incomingBidirectionalStreams: W3cReadable<W3cBidirectionalStream>;
  readonly incomingUnidirectionalStreams: W3cReadable<W3cReadable<Uint8Array>>;
  createBidirectionalStream(): Promise<W3cBidirectionalStream>;
  createUnidirectionalStream(): Promise<W3cWritable>;
  close(info?: { closeCode: number; reason: string }): void;
  getStats?(): Promise<W3cStats>;
}
