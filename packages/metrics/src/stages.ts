/** The labels `stage` of `sluice_stage_duration_seconds`, in the order in which a frame goes through them. */

/** At clients; those after the network are the server's, as its result tells them. */
export const clientStages = [
  ...(["client", "encode", "send-queue", "network"] as const),
  ...(["reassembly", "queue", "decode", "conceal", "inference"] as const),
] as const;

/** At servers. */
export const serverStages = ["reassembly", "queue", "decode", "conceal", "inference", "result"] as const;
