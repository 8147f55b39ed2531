import { element } from "./element.js";
import { type PictureSize, readPixels } from "./read-pixels.js";

export interface Camera {
  /** @throws Error for people, where there is no camera or it may not be used */
  start(): Promise<void>;
  stop(): void;
}

/** Takes the middle of the camera's pictures, as large as the network wants them. */
export function createCamera(size: PictureSize, onPixels: (pixels: Uint8Array<ArrayBuffer>) => void): Camera {
  const video = element("camera", HTMLVideoElement);
  let stream: MediaStream | undefined;
  let timer: ReturnType<typeof setInterval> | undefined;
  const intervalMs = 33;

  function take(): void {
    const { videoWidth, videoHeight } = video;
    const side = Math.min(videoWidth, videoHeight);
    if (side === 0) return;
    onPixels(readPixels(video, { x: (videoWidth - side) / 2, y: (videoHeight - side) / 2, side }, size));
  }

  return {
    async start() {
      if (!navigator.mediaDevices)
        throw new Error("The camera needs a secure page: https, or http on localhost.");
      try {
        stream = await navigator.mediaDevices.getUserMedia({
          video: { width: 320, height: 240, facingMode: "environment" },
        });
      } catch (error) {
        throw new Error(
          `The camera cannot be used: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
      video.srcObject = stream;
      await video.play();
      clearInterval(timer);
      timer = setInterval(take, intervalMs);
    },
    stop() {
      clearInterval(timer);
      for (const track of stream?.getTracks() ?? []) track.stop();
      video.srcObject = null;
      stream = undefined;
    },
  };
}
