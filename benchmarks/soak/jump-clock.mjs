// The time of day of this process, to be moved: what a step of NTP, or somebody who sets the clock, does.
const RealDate = Date;
let shiftMs = 0;

class ShiftedDate extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(RealDate.now() + shiftMs);
    else super(...given);
  }

  static now() {
    return RealDate.now() + shiftMs;
  }
}
globalThis.Date = ShiftedDate;

/** From now on the clock is so many milliseconds off the real one. */
export function jumpClock(ms) {
  shiftMs = ms;
}
