const MASK = (1n << 64n) - 1n;

/**
 * What the TUN link loses, written once more: splitmix64 and the simple Gilbert model.
 * @param {{ loss: number, burst: number, seed: bigint }} parameters `seed` of one direction
 * @returns whether the next packet is lost
 */
export function createGilbertLoss({ loss, burst, seed }) {
  let state = seed;
  let isBad;
  function draw() {
    state = (state + 0x9e3779b97f4a7c15n) & MASK;
    let z = state;
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK;
    return Number((z ^ (z >> 31n)) >> 11n) / 2 ** 53;
  }
  return () => {
    const number = draw();
    if (burst <= 1 || loss === 0) return number < loss;
    if (isBad === undefined) isBad = number < loss;
    else isBad = isBad ? number >= 1 / burst : number < loss / (burst * (1 - loss));
    return isBad;
  };
}
