/** One case of a live suite; its id begins with the section of the specification that it shows. */
export interface LiveCase<Context> {
  readonly id: string;
  readonly shows: readonly string[];
  /** @throws Unmet, or any other error: the case has failed. */
  run(context: Context): Promise<void>;
}
