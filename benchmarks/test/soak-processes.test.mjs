// A minute of faults of processes, threads, clocks and disks through the real stack: see soak-network.test.mjs.
import { runShortCampaign } from "../soak/short-campaign.mjs";

await runShortCampaign("process", "datagram,page");
