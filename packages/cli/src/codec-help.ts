/** What can stand behind `--codec`, for the help of commands that take one. */
export const codecHelp = `
Codecs are chains of stages; parameters that are left out have a default:
  raw                            the elements as they are
  quantize:levels=32,clip=6      levels within so many deviations, packed; per=channel takes them from the statistics
  quantize:levels=8,clip=3 | entropy             coded by what is around each element
  quantize:levels=256 | tile | jpeg:quality=60   channels as a picture; or jpeg2000:ratio=8, or htj2k:step=0.02
  transform | quantize:levels=24 | entropy       coefficients of blocks, fewer bytes where much may be lost
  integers | entropy             bytes without loss; integers stands before tile as well
  quantize:levels=32 | predict:memory=8 | entropy   what is left beside a frame that the receiver has
  sluice:quality=50              for cuts that \`sluice calibrate\` has measured; it stands alone
`;
