import { TensorError } from "@sluice/tensor";
import type { PlaneSize } from "../stage.js";

/** A picture codec of another project, compiled to WebAssembly: whole codestreams of one 8-bit component. */
export interface ImageLibrary {
  /** @param configure sets the parameters of the library's encoder */
  encode(samples: Uint8Array, size: PlaneSize, configure: Configure): Uint8Array;
  /** Decodes into `samples`; false where the codestream cannot be decoded or is of another size. Never throws. */
  decode(codestream: Uint8Array, size: PlaneSize, samples: Uint8Array): boolean;
}

export type Configure = (encoder: LibraryEncoder) => void;

export const imageLibraryNames = ["jpeg", "jpeg2000", "htj2k"] as const;
export type ImageLibraryName = (typeof imageLibraryNames)[number];

/** What the packages `@cornerstonejs/codec-*` have in common (their encoders have more methods). */
export interface LibraryModule {
  readonly [name: string]: unknown;
}

/** Of an encoder: each package has some of these. */
export interface LibraryEncoder {
  getDecodedBuffer(frame: object): Uint8Array;
  encode(): void;
  getEncodedBuffer(): Uint8Array;
  delete(): void;
  setQuality(...values: (number | boolean)[]): void;
  setProgressive?(progressive: boolean): void;
  setSubSampling?(subSampling: number): void;
  setCompressionRatio?(layer: number, ratio: number): void;
  setDecompositions?(count: number): void;
  setProgressionOrder?(order: number): void;
}

interface LibraryDecoder {
  getEncodedBuffer(length: number): Uint8Array;
  decode(): void;
  getDecodedBuffer(): Uint8Array;
  getFrameInfo(): { readonly width: number; readonly height: number };
  delete(): void;
}

/** Makes an instance of a library's module, with a memory of its own. */
export type InstantiateLibrary = () => Promise<LibraryModule>;

const classes = {
  jpeg: { encoder: "JPEGEncoder", decoder: "JPEGDecoder" },
  jpeg2000: { encoder: "J2KEncoder", decoder: "J2KDecoder" },
  htj2k: { encoder: "HTJ2KEncoder", decoder: "HTJ2KDecoder" },
} as const satisfies Record<ImageLibraryName, { encoder: string; decoder: string }>;

/**
 * What a decoder throws takes some of its module's stack for good: it breaks after about 4,000 faults. So a module is
 * replaced early, and after the later number it decodes nothing until its replacement is there.
 */
const faultsToReplace = 500;
const faultsToStop = 1_500;

/** A library whose module is replaced when hostile payloads have worn it out. */
export async function createImageLibrary(
  name: ImageLibraryName,
  instantiate: InstantiateLibrary,
): Promise<ImageLibrary> {
  const { encoder: encoderClass, decoder: decoderClass } = classes[name];
  let module = await instantiate();
  let faults = 0;
  let isReplacing = false;

  const make = <T>(className: string): T => new (module[className] as new () => T)();

  function countFault(error: unknown): void {
    // A trap leaves memory and stack as they were in the middle of something.
    faults = isTrap(error) ? faultsToStop : faults + 1;
    if (faults < faultsToReplace || isReplacing) return;
    isReplacing = true;
    instantiate().then(
      (fresh) => {
        module = fresh;
        faults = 0;
        isReplacing = false;
      },
      () => {
        isReplacing = false;
      },
    );
  }

  return {
    encode(samples, size, configure) {
      try {
        const encoder = make<LibraryEncoder>(encoderClass);
        try {
          return encodePlane(encoder, samples, size, configure);
        } finally {
          encoder.delete();
        }
      } catch (error) {
        countFault(error);
        throw new TensorError(
          `codec.${name}`,
          `its library cannot encode ${size.width} x ${size.height} samples`,
        );
      }
    },
    decode(codestream, { width, height }, samples) {
      if (codestream.length > longestCodestream(samples.length)) return false;
      if (faults >= faultsToStop) {
        countFault(undefined);
        return false;
      }
      try {
        const decoder = make<LibraryDecoder>(decoderClass);
        try {
          decoder.getEncodedBuffer(codestream.length).set(codestream);
          decoder.decode();
          const frame = decoder.getFrameInfo();
          const decoded = decoder.getDecodedBuffer();
          if (frame.width !== width || frame.height !== height || decoded.length !== samples.length)
            return false;
          samples.set(decoded);
          return true;
        } finally {
          decoder.delete();
        }
      } catch (error) {
        countFault(error);
        return false;
      }
    },
  };
}

function encodePlane(
  encoder: LibraryEncoder,
  samples: Uint8Array,
  { width, height }: PlaneSize,
  configure: Configure,
): Uint8Array {
  // The JPEG encoder writes into a buffer as long as that of the samples and does not look whether that is enough, which
  // for small and noisy planes it is not. It takes the bits of a sample for nothing else.
  const bytesPerSample = encoder.setSubSampling
    ? Math.min(31, longestJpegFile(width, height) / (width * height))
    : 1;
  const frame = { width, height, bitsPerSample: 8 * Math.ceil(bytesPerSample), componentCount: 1 };
  encoder.getDecodedBuffer({ ...frame, isSigned: false, isUsingColorTransform: false }).set(samples);
  configure(encoder);
  encoder.encode();
  return Uint8Array.from(encoder.getEncodedBuffer());
}

/** More than any encoder makes of so many samples, in bytes: nothing longer is given to a decoder. */
function longestCodestream(samples: number): number {
  return 8 * samples + 8192;
}

/** What libjpeg-turbo takes for the longest file of a grey plane (its tjBufSize), in bytes. */
function longestJpegFile(width: number, height: number): number {
  return 2 * (width + 7) * (height + 7) + 2048;
}

function isTrap(error: unknown): boolean {
  return error instanceof Error && error.name === "RuntimeError";
}
