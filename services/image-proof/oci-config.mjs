// The configuration of a container for an OCI runtime (runtime-spec 1.0), with the restrictions that the composition asks
// a Docker engine for, on the network of the host.

/** Of the proof's own, where runc gives a container the host's file systems. */
const kernelMounts = [
  { destination: "/proc", type: "proc", source: "proc" },
  {
    ...{ destination: "/dev", type: "tmpfs", source: "tmpfs" },
    options: ["nosuid", "strictatime", "mode=755", "size=65536k"],
  },
  {
    ...{ destination: "/dev/shm", type: "tmpfs", source: "shm" },
    options: ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"],
  },
];

/**
 * @param image the image's `config`, as `buildah inspect` shows it
 * @param service the service of the composition
 * @param rootfs the image's root, mounted somewhere
 * @throws Error naming the key of the composition that is not as it is told here
 */
export function ociConfig(image, service, rootfs) {
  const wanted = { read_only: true, cap_drop: ["ALL"], security_opt: ["no-new-privileges:true"] };
  for (const [key, value] of Object.entries(wanted)) {
    if (JSON.stringify(service[key]) !== JSON.stringify(value)) {
      throw new Error(`docker-compose.yml: ${key}: expected ${JSON.stringify(value)}`);
    }
  }
  const [uid, gid] = image.User.split(":").map(Number);
  const none = { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] };
  return {
    ociVersion: "1.0.2",
    process: {
      ...{ terminal: false, user: { uid, gid }, cwd: image.WorkingDir || "/", env: image.Env },
      args: [...image.Entrypoint, ...image.Cmd],
      ...{ capabilities: none, noNewPrivileges: true },
    },
    root: { path: rootfs, readonly: service.read_only },
    mounts: [
      ...kernelMounts,
      ...service.tmpfs.map((destination) => ({
        ...{ destination, type: "tmpfs", source: "tmpfs" },
        options: ["nosuid", "nodev", "noexec", "mode=1777", "size=65536k"],
      })),
    ],
    linux: {
      // Without `network`: the host's.
      namespaces: ["pid", "ipc", "uts", "mount"].map((type) => ({ type })),
      maskedPaths: ["/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"],
      readonlyPaths: ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
    },
  };
}
