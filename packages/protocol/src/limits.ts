/** Every bound of the protocol, in one place (spec 9). Both sides refuse what exceeds them before they allocate. */

/** The only version so far. */
export const protocolVersion = 1;

/** The age of a frame as a slice header tells it; older ones say this. Two bytes as a varint. */
export const maxAgeMs = 16_383;
/** A control message, without its length. */
export const maxControlMessageBytes = 65_536;
/** A slice header, without its length. */
export const maxSliceHeaderBytes = 64;
/** A stream alias: two bytes as a varint. */
export const maxStreamAlias = 16_383;
/** The highest number of a frame; numbers do not wrap. */
export const maxFrameNumber = 0xffffffff;
/** Units that a tensor is divided into: the most elements that a tensor may have. */
export const maxUnits = 1 << 24;
/** Versions and capabilities named in one hello. */
export const maxHelloEntries = 64;
/** A bearer token. */
export const maxTokenBytes = 4_096;
/** Names of models, splits, codecs and methods. */
export const maxNameBytes = 1_024;
/** Arrivals listed in one receiver report. */
export const maxReportedArrivals = 64;
/** Datagrams of which a receiver report says one by one whether they came. */
export const maxReportedBits = 256;
/** Frames listed in one receiver report. */
export const maxReportedFrames = 32;
/** Results acknowledged in one message. */
export const maxAcknowledgedFrames = 64;
/** Datagrams that a sender remembers to know what is on its way. */
export const maxTrackedDatagrams = 8_192;
/** Control messages waiting for the driver. */
export const maxQueuedControlBytes = 1 << 20;
/** The answer in a result that is a message: what fits one with room for its other fields. */
export const maxResultPayloadBytes = 65_000;
/** A result in front of its payload on a QUIC stream of its own, without its length. */
export const maxResultHeaderBytes = 256;
/** Results on QUIC streams of their own that are on their way in one session, and the bytes of their payloads. */
export const maxResultStreams = 64;
export const maxResultStreamBytes = 128 * 1024 * 1024;
/** Results that wait to be acknowledged; the oldest is given up first. */
export const maxUnacknowledgedResults = 256;
/** Frames of one session that a receiver holds in parts. */
export const maxFramesInReassembly = 64;
/** Bytes of one session that a receiver holds in parts. */
export const maxReassemblyBytes = 128 * 1024 * 1024;
/** What a slice that is held counts for beside its payload: its place in lists and maps costs memory too. */
export const heldSliceOverheadBytes = 256;
/** Gaps between the slices of one frame that a receiver follows: far more than loss makes. */
export const maxRangesPerFrame = 8_192;
/** Frames in excess of its limits at once for which a session is not closed, and so many more in each second (spec 4.4). */
export const maxExcessFrames = 512;
export const forgivenFramesPerSecond = 64;
/**
 * Of those, so many are answered one by one, or as many as the rate lets come in a second where these are fewer. A client with more is
 * hardly heard for a while (spec 4.4).
 */
export const patientExcessFrames = 128;
/** Of a session that has just begun: so many more than its rate has let it send so far, which is all that a network can have held up. */
export const newcomerExcessFrames = 8;
/** So many of one that was hardly heard before, within the last {@link probationMs}: what it sends then, it sends at once. */
export const relapseExcessFrames = 32;
/** How long it is hardly heard at first, in milliseconds; twice as long each time that it goes on, up to the most. */
export const firstUnheardMs = 2_000;
export const maxUnheardMs = 16_000;
/** After so long within its limits a client is trusted as in the beginning, in milliseconds. */
export const probationMs = 16_000;
/** Bytes that wait in the send buffer of one session. */
export const maxSendBufferBytes = 128 * 1024 * 1024;
/** Numbers of finished frames that a receiver remembers for each stream, so that late slices start nothing. */
export const maxRememberedFrames = 512;
/** How long a session may take from its first byte to its hello or welcome. */
export const handshakeTimeoutMs = 5_000;
/** After so long without a sign of life a client tries another session beside this one (spec 2.7). */
export const silenceMs = 5_000;
/**
 * How long a side waits for a sign of life: as long as a tunnel may take, and less than the 30 s after which QUIC, in browsers
 * and in most servers, gives a connection up by itself.
 */
export const peerSilenceMs = 28_000;
/** A server waits at least so long, and so many times as long as it has heard of a session (spec 5.7). */
export const minPeerSilenceMs = 5_000;
export const silencePerLife = 20;
/** A session of which a server has heard nothing for so long gives way where there is no room for another (spec 5.7). */
export const giveWayMs = 4_000;
/** Bytes that may be on their way before the bandwidth of the path is known. */
export const maxBlindBytes = 65_536;

/** Datagrams that one group of forward error correction protects, and rows of its code for their repair symbols. */
export const maxFecSources = 128;
export const maxFecRows = 128;
/** Bytes of the map in a repair symbol. */
export const maxRepairMaskBytes = 32;
/** From a repair symbol's datagram back to the lowest one that it protects. */
export const maxRepairDistance = 2_048;
/** Datagrams that a receiver keeps for repair symbols, and groups that wait for more; and the bytes of both. */
export const maxHeldDatagrams = 2_048;
export const maxFecGroups = 64;
export const maxFecBytes = 4 * 1024 * 1024;

/** What a server announces unless told otherwise. 0: no limit. */
export interface SessionLimits {
  /** Tensor streams open at once. */
  readonly maxStreams: number;
  readonly maxTensorElements: number;
  /** Bytes of one encoded tensor. */
  readonly maxTensorBytes: number;
  /** Frames sent and not answered yet. */
  readonly maxFramesInFlight: number;
  /** Frames per second over all tensor streams of the session; 0: unlimited. */
  readonly framesPerSecond: number;
  /** Payload bytes of slices per second over all tensor streams of the session; 0: unlimited. */
  readonly maxBytesPerSecond: number;
  /** Bytes of the payload of one result. */
  readonly maxResultBytes: number;
}

export const defaultLimits: SessionLimits = {
  maxStreams: 64,
  maxTensorElements: maxUnits,
  maxTensorBytes: 64 * 1024 * 1024,
  maxFramesInFlight: 32,
  framesPerSecond: 0,
  maxBytesPerSecond: 0,
  maxResultBytes: 64 * 1024 * 1024,
};
