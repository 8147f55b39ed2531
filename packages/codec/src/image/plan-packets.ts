import { TensorError } from "@sluice/tensor";
import type { PlaneFormat, PlaneSize, PlannedStage } from "../stage.js";
import type { LibraryEncoder } from "./image-library.js";
import { type Jpeg2000Form, takePackets, wrapPackets } from "./jpeg2000-stream.js";
import { imageLibrary } from "./load-image-library.js";

/** In what the two stages of JPEG 2000 differ. */
export interface PacketCoding {
  readonly name: "jpeg2000" | "htj2k";
  /** What the headers say of a plane. */
  formOf(size: PlaneSize): Jpeg2000Form;
  /** Sets the library up for the quality that is wanted of a plane of so many samples. */
  configure(encoder: LibraryEncoder, form: Jpeg2000Form, size: PlaneSize, samples: number): void;
}

/** A stage of JPEG 2000: the packets of a codestream whose headers both ends know (spec 6.8). */
export function planPackets(
  { name, formOf, configure }: PacketCoding,
  { size: sizeOf }: PlaneFormat,
): PlannedStage<"plane", "bytes"> {
  const library = imageLibrary(name);
  return {
    output: {},
    encode(plane, extent) {
      const size = sizeOf(extent);
      const form = formOf(size);
      const codestream = library.encode(plane, size, (encoder) => {
        encoder.setDecompositions?.(form.decompositions);
        configure(encoder, form, size, plane.length);
      });
      const packets = takePackets(codestream, form, size);
      if (!packets)
        throw new TensorError(`codec.${name}`, "its library writes other headers than the codec knows");
      return packets;
    },
    decode(packets, plane, extent) {
      const size = sizeOf(extent);
      const codestream = wrapPackets(packets, formOf(size), size);
      return library.decode(codestream, size, plane) ? undefined : "payload";
    },
  };
}
