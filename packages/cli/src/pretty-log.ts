import { PinoPretty } from "pino-pretty";

/** Logs for people, on stderr. */
export function pinoPretty() {
  return PinoPretty({
    destination: 2,
    sync: true,
    ignore: "pid,hostname,name",
    translateTime: "SYS:HH:MM:ss.l",
  });
}
