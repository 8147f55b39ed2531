// What both forms send over and how, so that nothing but their losses differs by chance.

/** The link beside its losses: wide, so that nothing else is lost. */
export const link = { delayMs: 10, queueMs: 400 };
/** Estimates of the path begin with frames that are not counted. */
export const warmUpFrames = 60;
/** A frame that the gate turned away is offered again after this, so often. */
export const offerAgainMs = 50;
export const maxOffers = 200;
export const maxFramesInFlight = 512;

/** The link on which tensors travel; what comes back is not lost. */
export const lossyLink = ({ burst }, rate) => ({ ...link, loss: rate, burst });

/** The images that are sent first, over and over where there are few. */
export const warmUpImages = (images) =>
  Array.from({ length: warmUpFrames }, (_, i) => images[i % images.length]);

/** What the streams of both forms are opened with beside the codec. */
export const streamOptionsOf = ({ fec, interleave, minReceived }, { deadlineMs }) => ({
  deadlineMs,
  ...(fec === "" ? {} : { fec }),
  ...(interleave === "" ? {} : { interleave }),
  ...(minReceived === 0 ? {} : { minReceivedPercent: minReceived }),
});
