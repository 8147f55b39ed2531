// A minute of faults of the network and of hostile clients through the real stack; soak-processes.test.mjs has those of
// processes. Nothing here is decided by how fast the machine is: sums, leftovers and ends are.
import { runShortCampaign } from "../soak/short-campaign.mjs";

await runShortCampaign("network,hostile", "reliable,auto,page");
